"""On a linear model of two classes it is known what each smoothed label breaks."""

import pytest
import torch

from robustinfo.attacks import label_smoothing_pgd
from robustinfo.diagnostics import attack_accuracy, smoothed_accuracy

SET, HALVES, IMAGE = smoothed_accuracy.QUANTITIES
FROM_X = {"epsilon": 0.02, "steps": 5, "start_std": 0.0}


def stands(p, **settings):
    config = smoothed_accuracy.Config(**FROM_X | settings)
    return smoothed_accuracy.robust_by_gamma(p.model, p.x, p.y, config=config, generator=seeded())


def fractions(p, **settings):
    config = smoothed_accuracy.Config(**FROM_X | settings)
    found = smoothed_accuracy.diagnose(p.model, p.x, p.y, config=config, generator=seeded())
    assert {(one.interval, one.n) for one in found} == {("fraction", len(p.y))}
    return {one.quantity: one.value for one in found}


def seeded():
    return torch.Generator().manual_seed(0)


def test_each_gamma_alone_breaks_what_is_in_reach_and_no_likelier_than_its_label(two_classes):
    p, gammas = two_classes, (0.0, 0.2, 0.9, 1.0)
    logits = p.model(p.x).detach()
    margin = logits.max(1).values - logits.min(1).values
    reach = 0.02 * (p.weight[0] - p.weight[1]).norm(p=1)
    expected = [~((margin < reach) & (margin.sigmoid() < 1 - gamma / 2)) for gamma in gammas]
    found = stands(p, smoothings=gammas)
    assert found.equal(torch.stack(expected))
    assert 0 < found[0].sum() < found[2].sum() < 64
    assert fractions(p, smoothings=gammas)[SET] == found[0].double().mean().item()


@pytest.mark.parametrize(
    ("broken", "of_set", "of_halves", "of_image"),
    [
        ([[0, 1], [2]], 2 / 4, 2 / 4, 1 / 4),  # no gamma for all of them
        ([[0], [0, 1, 2]], 1 / 4, 1 / 4, 1 / 4),  # the second one is the worst for every image
        ([[0, 2], [1]], 2 / 4, 4 / 4, 1 / 4),  # images 0 and 2 meet the gamma that 1 and 3 choose
        ([[], []], 1.0, 1.0, 1.0),
    ],
)
def test_the_set_has_one_gamma_and_every_image_its_own(
    monkeypatch, two_classes, broken, of_set, of_halves, of_image
):
    masks = torch.ones(2, 4, dtype=torch.bool)
    for row, images in enumerate(broken):
        masks[row, images] = False
    monkeypatch.setattr(smoothed_accuracy, "robust_by_gamma", lambda *a, **k: masks)
    two_classes.y = two_classes.y[:4]
    assert fractions(two_classes) == {SET: of_set, HALVES: of_halves, IMAGE: of_image}


def test_of_gammas_that_do_the_same_harm_only_the_choice_by_other_images_is_unbiased(
    monkeypatch, two_classes
):
    """Every gamma leaves each image standing with probability 0.6; of eleven, one looks worst."""
    found, draw = [], torch.Generator().manual_seed(1)
    two_classes.y = torch.zeros(40, dtype=torch.long)
    for _ in range(300):
        masks = torch.rand(11, 40, generator=draw) < 0.6
        monkeypatch.setattr(smoothed_accuracy, "robust_by_gamma", lambda *a, m=masks, **k: m)
        found.append(fractions(two_classes))
    means = {name: sum(one[name] for one in found) / len(found) for name in found[0]}
    assert means[HALVES] == pytest.approx(0.6, abs=3 * (0.6 * 0.4 / 40 / 300) ** 0.5)
    assert means[SET] < 0.5


def test_without_smoothing_it_is_the_accuracy_under_pgd(four_classes):
    p, settings = four_classes, {"epsilon": 0.02, "steps": 3, "start_std": 0.005, "restarts": 2}
    config = attack_accuracy.Config(**settings)
    pgd = attack_accuracy.diagnose(p.model, p.x, p.y, config=config, generator=seeded())[0].value
    assert 0 < pgd < 1
    assert fractions(p, **settings, smoothings=[0.0]) == {SET: pgd, HALVES: pgd, IMAGE: pgd}


def test_over_all_gammas_an_image_stands_where_the_attack_that_chains_them_leaves_it(four_classes):
    """The attack of the study goes on, gamma by gamma, with what still stands, from one start."""
    p = four_classes
    numbers = {"epsilon": 0.02, "step_size": 0.01, "steps": 5}
    config = label_smoothing_pgd.Config(**numbers)
    _, broken = label_smoothing_pgd.perturb(p.model, p.x, p.y, config=config, generator=seeded())
    found = stands(p, step_size=0.01, start_std=None)
    assert found.all(0).equal(~broken) and 0 < broken.sum() < 64


def test_a_misclassified_image_stands_under_no_gamma(two_classes):
    two_classes.y = 1 - two_classes.y
    assert set(fractions(two_classes).values()) == {0.0}


@pytest.mark.parametrize(
    ("settings", "size"),
    [
        ({"steps": 8}, 2 * 8 / 255 / 8),
        ({"steps": 256}, 1 / 510),
        ({"steps": 256, "epsilon": 150 / 255}, 2 * 150 / 255 / 256),
        ({"steps": None, "step_size": 2 / 255}, 2 / 255),
    ],
)
def test_steps_are_of_2_epsilon_by_their_number_and_of_half_a_255th_at_least(settings, size):
    given = {"epsilon": 8 / 255, "reach": 2.0, "least_step_size": 1 / 510} | settings
    path = smoothed_accuracy.Config(**given).path
    assert path["step_size"] == pytest.approx(size)
    assert path["steps"] == (settings["steps"] or 8)
