"""AutoAttack against closed forms and exhaustive search; and nothing of its globals leaks."""

import random
import sys
from functools import partial

import numpy as np
import pytest
import torch
from pyautoattack.square import SquareAttack
from torch import nn

from robustinfo.attacks import autoattack, pgd
from robustinfo.core.errors import UserError
from robustinfo.maths.balls import feasible


def attack(model, x, y, epsilon, norm="linf", seed=0):
    generator = torch.Generator().manual_seed(seed)
    config = autoattack.Config(norm=norm, epsilon=epsilon)
    return autoattack.perturb(model, x, y, config=config, generator=generator)


def nearest_boundary(p, dual):
    """(n,) the least distance to another class, in the norm whose dual is given."""
    logits = p.model(p.x).detach()
    reach = (p.weight[None] - p.weight[p.y][:, None]).norm(p=dual, dim=2)  # (n, K)
    gaps = logits.gather(1, p.y[:, None]) - logits
    return (gaps / reach).nan_to_num(torch.inf).amin(1)  # 0 / 0 at the class itself


@pytest.mark.parametrize("norm, dual", [("linf", 1), ("l2", 2)])
def test_it_turns_exactly_the_images_whose_nearest_boundary_is_within_epsilon(
    norm, dual, four_classes, capsys, caplog
):
    p, x = four_classes, four_classes.x.reshape(-1, 1, 8, 2)  # in l2 squares need 5 rows
    caplog.set_level("INFO")  # as the stages log
    nearest = nearest_boundary(p, dual)
    epsilon = nearest.sort()[0][31:33].mean().item()
    x_adv, success = attack(p.model, x, p.y, epsilon, norm)
    assert success.equal(nearest < epsilon) and success.equal(p.model(x_adv).argmax(1) != p.y)
    assert feasible(x, x_adv, norm, epsilon).all() and x_adv[~success].equal(x[~success])
    assert capsys.readouterr() == ("", "") and not caplog.records


def test_it_finds_all_that_a_search_of_40401_points_around_every_image_finds():
    torch.manual_seed(1)  # two pixels, curved boundaries, and some images at the edge of the box
    model = nn.Sequential(nn.Flatten(), nn.Linear(2, 24), nn.Tanh(), nn.Linear(24, 5))
    model[1].weight.data.mul_(8)
    x, side = torch.rand(64, 1, 1, 2), torch.linspace(-0.05, 0.05, 201)
    square, y = torch.cartesian_prod(side, side).view(-1, 1, 1, 2), model(x).argmax(1)
    around = [model((image + square).clamp(0, 1)).argmax(1) for image in x]
    turned = torch.stack([(a != b).any() for a, b in zip(around, y, strict=True)])
    assert attack(model, x, y, 0.05)[1].equal(turned) and turned.any() and not turned.all()


def test_squares_find_what_no_gradient_shows_and_the_doubt_is_logged(four_classes, caplog):
    model, x = four_classes.model, four_classes.x
    model.register_forward_hook(lambda *passed: passed[-1].mul(8).round())
    y = model(x).argmax(1)
    config = pgd.Config(epsilon=0.05, step_size=0.01, steps=5, random_start=False)
    assert not pgd.perturb(model, x, y, config=config, generator=torch.Generator())[1].any()
    assert attack(model, x, y, 0.05)[1].float().mean() > 0.5
    assert "zero gradient" in caplog.text and "Square Attack has decreased" in caplog.text


def test_a_robust_image_gets_the_steps_and_the_squares_of_the_paper(four_classes, monkeypatch):
    p, climbed, squares = four_classes, [], []
    share = SquareAttack.p_selection
    monkeypatch.setattr(
        SquareAttack, "p_selection", lambda *given: squares.append(given[1]) or share(*given)
    )
    p.model.register_forward_pre_hook(
        lambda _, given: climbed.append(len(given[0]) * given[0].requires_grad)
    )
    assert not attack(p.model, p.x[:1], p.y[:1], epsilon=0.0)[1].any()
    # Three wrong classes; AutoPGD needs a gradient of its start as well.
    assert sum(climbed) == 101 + 3 * 101 + 3 * 100 and squares == list(range(5000))


@pytest.mark.parametrize("every", [1, 2])
def test_what_was_misclassified_is_never_a_success_and_comes_back_untouched(every, four_classes):
    p, wrong = four_classes, torch.arange(64) % every == 0
    x_adv, success = attack(p.model, p.x, torch.where(wrong, (p.y + 1) % 4, p.y), 0.1)
    assert success.equal(~wrong) and x_adv[wrong].equal(p.x[wrong])


def test_the_generator_alone_decides_and_no_global_state_changes(four_classes, request):
    def perturbed(seed, noise):
        torch.manual_seed(noise)
        before = torch.get_rng_state(), str(np.random.get_state()), random.getstate(), debugger
        x_adv, success = attack(four_classes.model, four_classes.x, four_classes.y, 0.1, seed=seed)
        assert torch.get_rng_state().equal(before[0]) and success.all()
        assert (str(np.random.get_state()), random.getstate(), sys.gettrace()) == before[1:]
        return x_adv

    request.addfinalizer(partial(sys.settrace, sys.gettrace()))
    sys.settrace(debugger := lambda *_: None)
    first, again, other = perturbed(5, noise=1), perturbed(5, noise=2), perturbed(6, noise=2)
    assert first.equal(again) and not first.equal(other)


def test_a_model_in_training_mode_is_attacked_as_it_will_be_used_and_left_as_it_was():
    torch.manual_seed(0)
    model = nn.Sequential(nn.BatchNorm2d(3), nn.Dropout(), nn.Flatten(), nn.Linear(48, 4)).eval()
    y = model(x := torch.rand(16, 3, 4, 4)).argmax(1)
    expected = attack(model, x, y, 0.05)
    model.train()[1].eval()
    model[3].bias.requires_grad_(False)
    before = {key: value.clone() for key, value in model.state_dict().items()}
    awkward = x.to(memory_format=torch.channels_last).requires_grad_()
    found = attack(model, awkward, y, 0.05)
    assert all(map(torch.equal, found, expected)) and 0 < found[1].sum() < 16
    assert all(model.state_dict()[key].equal(value) for key, value in before.items())
    assert [layer.training for layer in model] == [True, False, True, True]
    assert [weight.requires_grad for weight in model.parameters()] == [True, True, True, False]
    assert all(one.grad is None for one in (awkward, *model.parameters()))


REFUSED = [(2, "linf", "4 classes.*K = 2"), (3, "l2", "4 classes.*K = 3"), (4, "l2", "5 pixels")]


@pytest.mark.parametrize("classes, norm, words", REFUSED)
def test_where_the_standard_version_is_undefined_it_is_refused(classes, norm, words):
    model = nn.Sequential(nn.Flatten(), nn.Linear(16, classes))
    with pytest.raises(UserError, match=f"at least {words}"):
        attack(model, torch.rand(2, 1, 4, 4), torch.tensor([0, 1]), 0.1, norm)
