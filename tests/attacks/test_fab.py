"""What is FAB's own; its optimum is in test_known_optimum.py, every attack's promises beside it."""

import itertools

import pytest
import torch
from pyautoattack.fab_pt import FABAttack_PT
from torch import nn

from robustinfo.attacks import _fab_run, fab
from robustinfo.maths.balls import distance


class Plateau(nn.Module):
    """Class 0 within 0.3 of mid-grey, in l2, with a gradient of 0 within 0.05 of it."""

    def forward(self, x):
        away = (x.flatten(1) - 0.5).square().sum(1).clamp(min=0.05**2)
        return torch.stack([0.3**2 - away, away - 0.3**2], 1)


def attack(model, x, y, seed=0, **settings):
    generator = torch.Generator().manual_seed(seed)
    return fab.perturb(model, x, y, config=fab.Config(**settings), generator=generator)


GREY, ZEROS = torch.full((6, 1, 3, 3), 0.5), torch.zeros(6, dtype=torch.int64)


def test_restarts_leave_a_plateau_on_which_the_first_run_stands_still():
    numbers = {"norm": "l2", "epsilon": 0.4, "steps": 20}
    assert not attack(Plateau(), GREY, ZEROS, **numbers)[1].any()
    x_adv, success = attack(Plateau(), GREY, ZEROS, **numbers, restarts=2)
    assert success.all()
    size = distance(x_adv - GREY, "l2")
    assert (size >= 0.3).all() and (size < 0.301).all()


def test_the_seed_decides_where_restarts_begin():
    numbers = {"norm": "l2", "epsilon": 0.4, "steps": 20, "restarts": 2}
    first, again, other = (attack(Plateau(), GREY, ZEROS, s, **numbers)[0] for s in (1, 1, 2))
    assert first.equal(again) and not first.equal(other)


def test_restarts_without_an_epsilon_are_refused():
    with pytest.raises(ValueError, match="3 `restarts` begin half an `epsilon` away"):
        fab.Config(restarts=3)


@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_it_finds_no_less_than_a_grid_of_160801_points_and_comes_as_near(norm):
    """Two pixels, curved boundaries, and some images at the edge of the box."""
    torch.manual_seed(1)
    model = nn.Sequential(nn.Flatten(), nn.Linear(2, 24), nn.Tanh(), nn.Linear(24, 5))
    model[1].weight.data.mul_(8)
    x, side = torch.rand(24, 1, 1, 2), torch.linspace(0, 1, 401)
    square, y = torch.cartesian_prod(side, side).view(-1, 1, 1, 2), model(x).argmax(1)
    classes = model(square).argmax(1)
    rows = zip(x, y, strict=True)
    least = torch.stack([distance(square - a, norm)[classes != b].min() for a, b in rows])
    x_adv, success = attack(model, x, y, norm=norm, targets=9)
    assert success.all()
    ratio = distance(x_adv - x, norm) / (least + 1 / 400)
    assert ratio.median() < 1.0 and ratio.quantile(0.9) < 1.1


def test_of_several_targets_the_nearest_is_kept(four_classes):
    p = four_classes
    numbers = {"norm": "l2", "steps": 20}
    sizes = [
        distance(attack(p.model, p.x, p.y, targets=t, **numbers)[0] - p.x, "l2") for t in (1, 2, 3)
    ]
    for fewer, more in itertools.pairwise(sizes):
        assert (more <= fewer).all() and (more < fewer - 1e-4).any()


def test_images_in_another_memory_layout_are_the_same_images():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(64, 4)).eval()
    x = torch.rand(8, 3, 6, 6)
    model[3].bias.data -= model(x).detach().mean(0)  # every class wins somewhere
    y = model(x).argmax(1)
    for norm in ("linf", "l2"):
        numbers = {"norm": norm, "epsilon": 0.3, "restarts": 2, "steps": 10}
        plain, success = attack(model, x, y, **numbers)
        other = attack(model, x.to(memory_format=torch.channels_last), y, **numbers)
        torch.testing.assert_close(other[0], plain, rtol=0, atol=1e-4)
        assert success.any() and other[1].equal(success)


def test_where_nothing_depends_on_the_image_it_finds_nothing():
    class Constant(nn.Module):
        def forward(self, x):
            return 0 * x.flatten(1).sum(1, keepdim=True) + torch.tensor([1.0, 0.0])

    for norm in ("linf", "l2"):
        x_adv, success = attack(Constant(), GREY, ZEROS, norm=norm, steps=3)
        assert not success.any() and x_adv.equal(GREY)


@pytest.mark.parametrize("norm, epsilon", [("Linf", 0.02), ("L2", 0.15)])
@pytest.mark.parametrize("targeted", [True, False])
def test_a_run_is_the_packages(targeted, norm, epsilon, problem):
    model, x, y = problem("resnet18")
    right = model(x).argmax(1) == y
    x, y = x[right], y[right]
    package = FABAttack_PT(model, norm=norm, n_iter=3, eps=epsilon, device="cpu")
    package.target_class = 2
    expected = package.attack_single_run(x, y, is_targeted=targeted)
    ranked = model(x).sort(1).indices.flip(1)
    classes = ranked[:, :2] if targeted else ranked
    norm = norm.lower()
    found = _fab_run.run(model, x, y, classes, start=x, norm=norm, steps=3)
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-5)
    assert (model(found).argmax(1) != y).float().mean() > 0.5


STEPS = 3  # of two loops in float32, whose paths part by rounding later


@pytest.mark.parametrize("norm, epsilon", [("Linf", 0.012), ("L2", 0.1)])
@pytest.mark.parametrize("together", [1, 100])
def test_several_targets_in_one_batch_find_what_the_package_finds_one_by_one(
    together, norm, epsilon, problem, monkeypatch
):
    monkeypatch.setattr(_fab_run, "quick_batch", lambda x: together)
    model, x, y = problem("resnet18")
    right = model(x).argmax(1) == y
    x, y = x[right], y[right]
    package = FABAttack_PT(model, norm=norm, n_iter=STEPS, eps=epsilon, device="cpu", targeted=True)
    package.n_target_classes = 4
    with torch.random.fork_rng():
        expected = package.perturb(x, y)
    numbers = {"norm": norm.lower(), "epsilon": epsilon, "steps": STEPS, "targets": 4}
    found = _fab_run.run_targets(model, x, y, **numbers)
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-5)
    fooled = model(found).argmax(1) != y
    assert fooled.any() and not fooled.all() and found[~fooled].equal(x[~fooled])
