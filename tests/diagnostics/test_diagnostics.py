import pytest
import torch
from pydantic import ValidationError

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


def test_more_restarts_from_noise_leave_no_more_and_start_within_the_ball(four_classes):
    """One step from nearly any start decides by chance; many starts find the corner."""
    p, single = four_classes, {"steps": 1, "step_size": 0.012, "start_std": 0.01}

    def left(restarts):
        generator = torch.Generator().manual_seed(0)
        return accuracy(p, 0.02, generator, **single, restarts=restarts)

    exact = accuracy(p, 0.02, torch.Generator(), steps=40)
    assert exact <= left(20) < left(1)


@pytest.mark.parametrize("given", [{"start_std": 0.005}, {"restarts": 5}])
def test_an_attack_that_starts_at_the_image_takes_no_restarts(given):
    with pytest.raises(ValidationError, match="`ni_fgsm` starts at x"):
        attack_accuracy.Config(epsilon=0.1, attack="ni_fgsm", **given)
