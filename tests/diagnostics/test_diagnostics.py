import pytest
import torch

from robustinfo.attacks import fgsm
from robustinfo.diagnostics import attack_accuracy


def accuracy(p, epsilon, generator, **settings):
    config = attack_accuracy.Config(epsilon=epsilon, **settings)
    found = attack_accuracy.diagnose(p.model, p.x, p.y, config=config, generator=generator)
    return found[0].value


@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_at_epsilon_0_it_is_the_clean_accuracy(norm, four_classes, generator):
    p = four_classes
    p.y = torch.where(torch.arange(len(p.y)) < 16, (p.y + 1) % 4, p.y)
    assert accuracy(p, 0, generator, norm=norm) == 0.75


def test_an_attack_that_may_paint_any_image_leaves_nothing_of_a_linear_model(
    four_classes, generator
):
    assert accuracy(four_classes, 1.0, generator) == 0


def test_an_l2_ball_beyond_the_box_leaves_nothing_either(four_classes, generator):
    assert accuracy(four_classes, 20.0, generator, norm="l2", step_size=1.0) == 0


def test_it_is_the_share_of_images_whose_margin_is_out_of_reach(two_classes, generator):
    p = two_classes
    reach = (p.weight[0] - p.weight[1]).abs().sum()
    logits = p.model(p.x).detach()
    margin = (logits[:, 0] - logits[:, 1]).abs()
    for epsilon in (0.01, 0.02, 0.04):
        expected = (margin > epsilon * reach).float().mean().item()
        assert accuracy(p, epsilon, generator) == expected


@pytest.mark.parametrize("steps", [5, 10, 40])
def test_pgd_reaches_the_far_corner_of_the_ball_from_any_random_start(
    two_classes, generator, steps
):
    """With steps too short for the ball, the curve would lie above that of a single FGSM step."""
    p = two_classes
    epsilon = 0.02
    config = fgsm.Config(epsilon=epsilon)
    _, broken = fgsm.perturb(p.model, p.x, p.y, config=config, generator=generator)
    assert broken.any()
    right = (p.model(p.x).argmax(1) == p.y) & ~broken
    found = accuracy(p, epsilon, generator, steps=steps)
    assert found == pytest.approx(right.double().mean().item())
