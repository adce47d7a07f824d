"""On a linear model it is known which way a smoothed label leads."""

import pytest
import torch
from pydantic import ValidationError
from torch import nn
from torch.nn import functional as F

from robustinfo.attacks import label_smoothing_pgd, pgd

STEPS = {"epsilon": 0.02, "step_size": 0.01, "steps": 5}


def attack(p, seed=0, **settings):
    config = label_smoothing_pgd.Config(**STEPS | settings)
    generator = torch.Generator().manual_seed(seed)
    return label_smoothing_pgd.perturb(p.model, p.x, p.y, config=config, generator=generator)


def lead(p):
    """(n,) the true logit minus the other, and what all of epsilon takes off it."""
    logits = p.model(p.x).detach()
    own = logits.gather(1, p.y[:, None]).squeeze(1)
    return 2 * own - logits.sum(1), 0.02 * (p.weight[0] - p.weight[1]).norm(p=1)


@pytest.mark.parametrize("gamma", [0.0, 0.2, 0.5, 0.8, 1.0])
def test_one_smoothing_breaks_what_is_in_reach_and_no_likelier_than_the_smoothed_label(
    gamma, two_classes
):
    p = two_classes
    margin, reach = lead(p)
    leads_out = margin.sigmoid() < 1 - gamma / 2
    _, success = attack(p, smoothings=[gamma], random_start=False)
    assert success.equal((margin < reach) & leads_out)
    assert success.any() == (gamma < 1)  # a uniform label says nothing of the true class


def test_all_smoothings_together_find_the_optimum(two_classes):
    p = two_classes
    margin, reach = lead(p)
    _, success = attack(p, smoothings=[1.0, 0.8, 0.0])
    assert success.equal(margin < reach) and success.any() and not success.all()


def test_a_smoothed_label_aims_at_the_best_other_class_where_the_sum_of_others_misleads():
    """The gradient by the one pixel is 0.206 - 0.4 gamma at first; only downwards a class wins."""
    model = nn.Sequential(nn.Flatten(), nn.Linear(1, 5)).eval()
    model[1].weight.data = torch.tensor([[0.0], [1.0], [1.0], [1.0], [-1.0]])
    model[1].bias.data = torch.tensor([0.65, -0.5, -0.5, -0.5, 1.0])
    x, y = torch.full((1, 1, 1, 1), 0.5), torch.zeros(1, dtype=torch.int64)
    settings = {"epsilon": 0.2, "step_size": 0.1, "steps": 4, "random_start": False}

    def broken(*smoothings):
        config = label_smoothing_pgd.Config(**settings, smoothings=smoothings)
        found = label_smoothing_pgd.perturb(model, x, y, config=config, generator=torch.Generator())
        return found[1].item()

    assert [broken(gamma) for gamma in label_smoothing_pgd.TENTHS] == [False] * 6 + [True] * 5
    assert broken(*label_smoothing_pgd.TENTHS) and not broken(0.0, 0.3, 0.5)


def test_without_smoothing_it_is_pgd_bit_for_bit_and_what_pgd_finds_is_kept(four_classes):
    p, generator = four_classes, torch.Generator().manual_seed(1)
    settings = STEPS | {"steps": 1, "restarts": 2}
    x_adv, broken = pgd.perturb(
        p.model, p.x, p.y, config=pgd.Config(**settings), generator=generator
    )
    same, also = attack(p, seed=1, **settings, smoothings=[0.0])
    assert same.equal(x_adv) and also.equal(broken)
    more, worst = attack(p, seed=1, **settings)
    assert more[broken].equal(x_adv[broken]) and worst[broken].all()
    assert worst.sum() > broken.sum() > 0


def test_the_smoothed_loss_is_the_cross_entropy_against_y_minus_gamma_y_minus_uniform(
    four_classes,
):
    p, gamma = four_classes, 0.3
    y = F.one_hot(p.y, 4).float()
    labels = y - gamma * (y - 1 / 4)
    expected = -(labels * p.model(p.x).log_softmax(1)).sum()
    _, found = label_smoothing_pgd.smoothed_cross_entropy(p.model, p.x, p.y, smoothing=gamma)
    torch.testing.assert_close(found, expected)


def test_what_has_fallen_is_not_attacked_again(two_classes):
    p, asked = two_classes, []

    class Recorded(nn.Module):
        def forward(self, x):
            asked.append(len(x))
            return p.model(x)

    def falls(smoothings):
        config = label_smoothing_pgd.Config(**STEPS, smoothings=smoothings)
        return label_smoothing_pgd.perturb(
            Recorded(), p.x, p.y, config=config, generator=torch.Generator()
        )[1]

    stands = int((~falls([0.0])).sum())
    first = len(asked)
    falls([0.0, 0.1])
    assert asked[first : 2 * first] == asked[:first]
    assert 0 < max(asked[2 * first :]) == stands < 64


def test_a_term_of_the_defences_own_changes_nothing(two_classes):
    p, config = two_classes, label_smoothing_pgd.Config(**STEPS)

    def term(x, y):
        raise AssertionError

    found = label_smoothing_pgd.perturb(
        p.model, p.x, p.y, config=config, generator=torch.Generator(), term=term
    )
    without = label_smoothing_pgd.perturb(
        p.model, p.x, p.y, config=config, generator=torch.Generator()
    )
    assert all(a.equal(b) for a, b in zip(found, without, strict=True))


def test_the_published_smoothings_are_the_tenths_from_0_to_1():
    assert label_smoothing_pgd.Config(**STEPS).smoothings == (
        0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0,
    )  # fmt: skip


@pytest.mark.parametrize("bad", [[], [1.1], ["0.5"]])
def test_a_smoothing_is_a_number_from_0_to_1_and_there_is_one(bad):
    with pytest.raises(ValidationError, match="smoothings"):
        label_smoothing_pgd.Config(**STEPS, smoothings=bad)
