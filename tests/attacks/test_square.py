"""What is Square's own; its optimum in linf is in test_known_optimum.py."""

import pytest
import torch
from pyautoattack.square import SquareAttack
from torch import nn

from robustinfo.attacks import square
from robustinfo.attacks._square_own_pace import at_own_pace
from robustinfo.core.batches import CACHE_BATCH
from robustinfo.core.errors import UserError
from robustinfo.maths.balls import distance, feasible
from robustinfo.maths.margin import margin


def attack(model, x, y, seed=0, **settings):
    generator = torch.Generator().manual_seed(seed)
    return square.perturb(model, x, y, config=square.Config(**settings), generator=generator)


def corner(pixels=5):
    """A linear model that reads the last pixel alone, and images 0.01 to 0.06 from its boundary."""
    model = nn.Sequential(nn.Flatten(), nn.Linear(pixels**2, 2)).eval()
    model[1].weight.data.zero_()[0, -1] = 1.0
    model[1].bias.data = torch.tensor([0.0, 0.5])
    x = torch.full((32, 1, pixels, pixels), 0.5)
    x[:, 0, -1, -1] += torch.linspace(0.01, 0.06, 32)
    return model, x, torch.zeros(32, dtype=torch.int64)


def test_the_last_row_and_column_are_searched_too_as_in_the_paper_and_not_in_the_package():
    model, x, y = corner()
    _, success = attack(model, x, y, epsilon=0.1, queries=300)
    assert success.all()
    theirs = SquareAttack(model, n_queries=300, eps=0.1, seed=0)
    with torch.random.fork_rng(), torch.no_grad():
        found = theirs.perturb(x, y)
    assert (model(found).argmax(1) == y).float().mean() > 0.25


def test_in_l2_successes_lie_in_the_ball_and_beyond_the_closed_form_there_is_none():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Flatten(), nn.Linear(64, 2)).eval()
    x = 0.35 + 0.3 * torch.rand(64, 1, 8, 8)
    y = model(x).argmax(1)
    weight = model[1].weight.detach()
    nearest = margin(model(x).detach(), y) / (weight[0] - weight[1]).norm()
    epsilon = nearest.quantile(0.6).item()
    x_adv, success = attack(model, x, y, norm="l2", epsilon=epsilon, queries=1000)
    assert feasible(x, x_adv, "l2", epsilon).all() and x_adv[~success].equal(x[~success])
    assert not success[nearest > epsilon].any() and success[nearest < 0.5 * epsilon].all()
    size = distance(x_adv - x, "l2")[success]
    torch.testing.assert_close(size, torch.full_like(size, epsilon), rtol=1e-4, atol=0)


class Steps(nn.Module):
    """Logits in steps of 1: between two classes there is a tie, which the first one wins."""

    def forward(self, x):
        lead = (x.flatten(1).mean(1) * 10 - 5).round()
        return torch.stack([lead, torch.zeros_like(lead)], 1)


def test_a_tie_that_the_true_class_wins_is_not_taken_for_the_end():
    x, y = torch.full((8, 1, 6, 6), 0.56), torch.zeros(8, dtype=torch.int64)
    assert Steps()(x - 0.1).argmax(1).equal(y) and Steps()(x - 0.12).argmax(1).equal(1 - y)
    _, success = attack(Steps(), x, y, epsilon=0.13, queries=500)
    assert success.any()
    with torch.random.fork_rng(), torch.no_grad():
        found = SquareAttack(Steps(), n_queries=500, eps=0.13, seed=0).perturb(x, y)
    assert Steps()(found).argmax(1).equal(y)


def test_no_image_is_asked_about_after_it_has_fallen_nor_for_a_square_that_changes_nothing(
    two_classes, monkeypatch
):
    p, best, fallen, batches = two_classes, {}, set(), []
    made = square._margins

    def watched(*networks):
        margins = made(*networks)

        def asked(x, y):
            found = margins(x, y)
            rows = torch.cdist(x.flatten(1), p.x.flatten(1), p=torch.inf).argmin(1).tolist()
            batches.append(len(rows))
            # The first of an image's squares that lowers its margin is kept.
            kept = {}
            for row, image, left in zip(rows, x, found[0].tolist(), strict=True):
                assert row not in fallen and not (row in best and image.equal(best[row][0]))
                if row not in kept and (row not in best or left < best[row][1]):
                    kept[row] = (image.clone(), left)
            best.update(kept)
            fallen.update(row for row, (_, left) in kept.items() if left <= 0)
            return found

        return asked

    monkeypatch.setattr(square, "_margins", watched)
    _, success = attack(p.model, p.x, p.y, epsilon=0.02, queries=200)
    assert 0 < success.sum() < 64 and len(fallen) == success.sum()
    assert batches[0] == 64 and max(batches[1:]) <= CACHE_BATCH and min(batches) > 0


@pytest.mark.parametrize("network", ["resnet18", "mlp"])
def test_at_its_own_pace_an_image_falls_to_the_squares_of_the_package(network, problem):
    model, x, y = problem(network)
    numbers, found = {"n_queries": 300, "eps": 0.03, "seed": 3, "device": "cpu"}, []
    for own_pace in (False, True):
        package = SquareAttack(model, **numbers)
        if own_pace:
            at_own_pace(package)
        with torch.random.fork_rng(), torch.no_grad():
            found.append(package.perturb(x, y))
    fooled = [model(x_adv).argmax(1) != y for x_adv in found]
    assert fooled[0].equal(fooled[1]) and fooled[0].any() and not fooled[0].all()
    torch.testing.assert_close(*found, rtol=0, atol=1e-6)


def test_more_restarts_find_all_that_one_finds_and_more(two_classes):
    p = two_classes
    numbers = {"epsilon": 0.02, "queries": 12}
    one = attack(p.model, p.x, p.y, **numbers)[1]
    many = attack(p.model, p.x, p.y, **numbers, restarts=8)[1]
    assert (many | ~one).all() and many.sum() > one.sum() > 0


def test_images_in_another_memory_layout_are_the_same_images():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(64, 4)).eval()
    x = torch.rand(8, 3, 6, 6)
    model[3].bias.data -= model(x).detach().mean(0)
    y = model(x).argmax(1)
    for norm, epsilon in (("linf", 0.05), ("l2", 0.3)):
        numbers = {"norm": norm, "epsilon": epsilon, "queries": 50}
        plain, success = attack(model, x, y, **numbers)
        other = attack(model, x.to(memory_format=torch.channels_last), y, **numbers)
        assert other[0].equal(plain) and other[1].equal(success) and success.any()


@pytest.mark.parametrize("h, w", [(12, 12), (14, 14), (18, 18), (19, 19), (24, 24), (28, 30)])
def test_sizes_on_which_the_packages_tiles_do_not_fit_are_refused_before_it_fails(h, w):
    model = nn.Sequential(nn.Flatten(), nn.Linear(h * w, 4))
    x, y = torch.rand(2, 1, h, w), torch.tensor([0, 1])
    with pytest.raises(RuntimeError):
        SquareAttack(model, norm="L2", n_queries=1, eps=1e-3).perturb(x, model(x).argmax(1))
    with pytest.raises(UserError, match=f"do not fit images of {h} x {w} pixels; use linf"):
        attack(model, x, y, norm="l2", epsilon=0.1)


@pytest.mark.parametrize("h, w", [(5, 5), (8, 8), (8, 2), (28, 28), (32, 32), (64, 64), (28, 26)])
def test_all_other_sizes_are_attacked(h, w):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Flatten(), nn.Linear(h * w, 4))
    x = torch.rand(2, 1, h, w)
    _, success = attack(model, x, model(x).argmax(1), norm="l2", epsilon=1e-6, queries=1)
    assert not success.any()
