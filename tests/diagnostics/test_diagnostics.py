import pytest
import torch
from pydantic import ValidationError
from torch import nn

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


@pytest.mark.parametrize("steps, left", [(2, 2 / 3), (100, 1 / 3)])
def test_carlini_and_wagner_take_the_margins_that_their_constant_pays_for(steps, left, generator):
    """|delta|^2 + c m(x + delta) of a linear margin is least c |w|^2 / 2 below m: 0.8 for c = 0.1.

    A step of Adam moves a pixel by about 0.05 and m by 0.4; foolbox looks before it steps.
    """
    layer = nn.Linear(4, 2)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([[1.0], [-1.0]]).expand(2, 4))
        layer.bias.copy_(torch.tensor([-2.0, 2.0]))
    margins = torch.tensor([0.16, 0.64, 2.0])
    x = (0.5 + margins / 8)[:, None, None, None].expand(3, 1, 2, 2)
    config = attack_accuracy.Config(
        attack="carlini_wagner", norm="l2", epsilon=None, steps=steps, step_size=0.1
    )
    model, y = nn.Sequential(nn.Flatten(), layer), torch.zeros(3, dtype=torch.long)
    found = attack_accuracy.diagnose(model, x, y, config=config, generator=generator)
    assert found[0].value == pytest.approx(left)


@pytest.mark.parametrize(
    "settings, said",
    [
        ({"attack": "pgd"}, "`epsilon: null` is of `attack: carlini_wagner` alone"),
        ({"attack": "carlini_wagner", "step_size": 0.1}, "takes `norm: l2`"),
        ({"attack": "carlini_wagner", "norm": "l2"}, "and a `step_size`"),
    ],
)
def test_what_makes_no_attack_is_refused(settings, said):
    with pytest.raises(ValidationError, match=said):
        attack_accuracy.Config(epsilon=None, **settings)


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
