"""HopSkipJump: what differs from foolbox, where it starts, and when it refuses."""

import foolbox.attacks as fa
import pytest
import torch
from torch import nn

from robustinfo.attacks import _foolbox, hop_skip_jump
from robustinfo.attacks._consistency import is_inconsistent
from robustinfo.attacks._decision_based import starting_points
from robustinfo.core.batches import CACHE_BATCH
from robustinfo.core.errors import UserError
from robustinfo.maths.balls import distance


def attack(model, x, y, seed=0, **settings):
    config, generator = hop_skip_jump.Config(**settings), torch.Generator().manual_seed(seed)
    return hop_skip_jump.perturb(model, x, y, config=config, generator=generator)


def test_an_image_goes_as_far_among_64_as_alone_which_foolboxs_own_does_not(two_classes, generator):
    p = two_classes
    slope = (p.weight[0] - p.weight[1]).norm()
    logits = p.model(p.x).detach()
    least = (logits[:, 0] - logits[:, 1]).abs() / slope
    together = distance(attack(p.model, p.x, p.y, steps=5)[0] - p.x, "l2") / least
    alone = torch.cat(
        [
            distance(attack(p.model, p.x[i : i + 1], p.y[i : i + 1], steps=5)[0] - p.x[i], "l2")
            for i in range(8)
        ]
    )
    assert together.median() < 1.1 and (alone / least[:8]).median() < 1.1
    begin = starting_points(p.model, p.x, p.y, norm="l2", generator=generator)
    raw, _ = _foolbox.run(
        fa.HopSkipJumpAttack(steps=5),
        p.model, p.x, p.y, epsilon=None, generator=generator, starting_points=begin,
    )  # fmt: skip
    assert (distance(raw - p.x, "l2") / least).median() > 1.5


@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_the_normal_of_a_plane_is_found_in_the_share_that_chance_allows(norm, generator):
    """The mean of m signed directions has a cosine of sqrt(m / (m + pi d / 2)) with the normal."""
    d, many = 64, 2000
    w = nn.functional.normalize(torch.randn(d, generator=generator), dim=0)
    at = torch.full((3, 1, 8, 8), 0.5)
    draw = torch.randn if norm == "l2" else hop_skip_jump._uniform
    torch.manual_seed(0)
    found = hop_skip_jump._normals(
        lambda x: (x - 0.5).flatten(1) @ w > 0, at, many, torch.full((3,), 0.01), draw
    )
    assert found.shape == at.shape
    torch.testing.assert_close(found.flatten(1).norm(dim=1), torch.ones(3))
    expected = (many / (many + torch.pi * d / 2)) ** 0.5
    assert (found.flatten(1) @ w).tolist() == pytest.approx([expected] * 3, abs=0.02)


def test_no_network_is_asked_about_more_at_once_than_a_processors_cache_holds(two_classes):
    p, asked = two_classes, []
    p.model.register_forward_pre_hook(lambda _, inputs: asked.append(len(inputs[0])))
    assert attack(p.model, p.x, p.y, steps=2, first_labels=300)[1].all()
    assert max(asked) == CACHE_BATCH and sum(asked) > 64 * 300 * (1 + 2**0.5)


def test_labels_are_asked_for_and_nothing_else(two_classes):
    class Labels(nn.Module):
        def forward(self, x):
            return nn.functional.one_hot(two_classes.model(x).argmax(1), 2).float()

    p = two_classes
    found = [attack(model, p.x, p.y, steps=3) for model in (p.model, Labels())]
    assert found[0][1].all()
    assert all(a.equal(b) for a, b in zip(*found, strict=True))


class Dark(nn.Module):
    """Class 1 for black alone, or nearly: noise does not fool."""

    def forward(self, x):
        light = x.flatten(1).mean(1) - 0.01
        return torch.stack([light, -light], 1)


def test_without_a_start_the_image_comes_back_even_where_black_would_fool():
    x, y = 0.2 + 0.6 * torch.rand(4, 1, 4, 4), torch.zeros(4, dtype=torch.int64)
    assert Dark()(torch.zeros(1, 1, 4, 4)).argmax(1) == 1
    for norm in ("linf", "l2"):
        x_adv, success = attack(Dark(), x, y, norm=norm, steps=3)
        assert not success.any() and x_adv.equal(x)


class Lit(nn.Module):
    """Class 1 where no value is below 0.5 and one is above 0.75, which noise does not reach."""

    def forward(self, x):
        flat = x.flatten(1)
        lead = torch.minimum(flat.amin(1) - 0.499, flat.amax(1) - 0.75)
        return torch.stack([-lead, lead], 1)


@pytest.mark.parametrize("norm, nearest", [("linf", 2), ("l2", 1)])
def test_the_start_is_the_nearest_image_of_another_class_in_the_norm_that_is_asked_for(
    norm, nearest, generator
):
    x = torch.full((3, 1, 4, 4), 0.5)
    x[1, 0, 0] = 1.0  # 1.0 away in l2, 0.5 in linf
    x[2] = 0.8  # 1.2 and 0.3
    y = torch.tensor([0, 1, 1])
    assert Lit()(x).argmax(1).equal(y)
    way = (starting_points(Lit(), x, y, norm=norm, generator=generator) - x)[0].flatten()
    whole = (x[nearest] - x[0]).flatten()
    assert nn.functional.cosine_similarity(way, whole, 0).item() == pytest.approx(1)


class Bright(nn.Module):
    """Class 1 where the mean is above 0.8, by logits near 10."""

    def forward(self, x):
        lead = x.flatten(1).mean(1) - 0.8
        return 10 + torch.stack([-lead, lead], 1)


@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_a_search_of_many_pixels_that_ends_where_rounding_decides_goes_back_and_counts(norm):
    x = 0.5 + 0.2 * torch.rand(16, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    x[0] = 0.95
    x_adv, success = attack(Bright(), x, (torch.arange(16) == 0).long(), norm=norm, steps=2)
    assert success.all() and ((x_adv.flatten(1).mean(1) - 0.8).abs() < 1e-3).all()


class Noisy(nn.Module):
    """A network that answers with noise, in eval mode too."""

    def forward(self, x):
        lead = 50 * (x.flatten(1).mean(1) - 0.5) + torch.randn(len(x))
        return torch.stack([-lead, lead], 1)


def test_a_network_that_contradicts_itself_is_refused_with_the_way_out():
    torch.manual_seed(0)
    x, y = torch.full((16, 1, 6, 6), 0.3), torch.zeros(16, dtype=torch.int64)
    with pytest.raises(
        UserError, match=r"another answer when it is asked again.*use pgd or square"
    ):
        attack(Noisy(), x, y, steps=50)


class Together(nn.Module):
    """BatchNorm in training mode: what is said of an image depends on all others of its batch."""

    def __init__(self):
        super().__init__()
        self.norm = nn.BatchNorm2d(1)

    def forward(self, x):
        lead = 20 * (self.norm.train()(x)[:, :, :3].flatten(1).mean(1))
        return torch.stack([-lead, lead], 1)


def test_a_network_that_answers_otherwise_in_other_company_is_refused_as_well():
    torch.manual_seed(0)
    x = torch.rand(16, 1, 6, 6)
    y = Together()(x).argmax(1)
    assert is_inconsistent(Together(), x) and not is_inconsistent(Lit(), x)
    with pytest.raises(UserError, match=r"in other company.*BatchNorm in training mode"):
        attack(Together(), x, y, steps=10)


class Retracts(nn.Module):
    """As soon as many images are asked about at once, all are of class 0, whatever was said."""

    def __init__(self, many):
        super().__init__()
        self.many, self.retracted = many, False

    def forward(self, x):
        self.retracted |= len(x) > self.many
        light = -torch.ones(len(x)) if self.retracted else x.flatten(1).mean(1) - 0.45
        return torch.stack([-light, light], 1)


@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_a_network_that_takes_its_answers_back_is_not_asked_the_same_for_ever(norm):
    x, y = torch.full((4, 1, 6, 6), 0.3), torch.zeros(4, dtype=torch.int64)
    with pytest.raises(UserError, match="another answer when it is asked again"):
        attack(Retracts(len(x)), x, y, norm=norm, steps=2)


def test_any_other_error_of_a_network_stays_what_it_is():
    class Broken(nn.Module):
        def forward(self, x):
            if len(x) > 64:
                raise ValueError("a bug of the network's own")
            return torch.stack([x.flatten(1).mean(1) - 0.45, 0 * x[:, 0, 0, 0]], 1)

    x, y = torch.full((16, 1, 6, 6), 0.47), torch.zeros(16, dtype=torch.int64)
    with pytest.raises(ValueError, match="a bug of the network's own") as caught:
        attack(Broken(), x, y, steps=2)
    assert not isinstance(caught.value, UserError)
