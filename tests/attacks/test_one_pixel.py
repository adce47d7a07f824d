"""One pixel: what may change, what is found, and how candidates breed."""

import pytest
import torch
from torch import nn

from robustinfo.attacks import one_pixel
from robustinfo.attacks.one_pixel import _children, _first_generation, _painted


class Planted(nn.Module):
    """Class 1 where the pixel at (2, 5) is bright in its second channel; nothing else counts."""

    def forward(self, x):
        bright = x[:, 1, 2, 5] - 0.9
        return torch.stack([-bright, bright], 1)


class Vote(nn.Module):
    """Class 1 where at least two pixels of one channel are above one half."""

    def forward(self, x):
        bright = (8 * (x - 0.5)).sigmoid().flatten(1).sum(1) - 2
        return torch.stack([-bright, bright], 1)


def attack(model, x, seed=0, **numbers):
    y, config = torch.zeros(len(x), dtype=torch.int64), one_pixel.Config(**numbers)
    return one_pixel.perturb(
        model, x, y, config=config, generator=torch.Generator().manual_seed(seed)
    )


def changed(x, x_adv):
    """(n,) how many pixels differ in any channel."""
    return (x != x_adv).any(1).flatten(1).sum(1)


def test_it_finds_the_one_pixel_that_counts_in_a_direction_that_fools():
    x = 0.5 * torch.rand(8, 3, 8, 8, generator=torch.Generator().manual_seed(1))
    x_adv, success = attack(Planted(), x)
    assert success.all() and (changed(x, x_adv) == 1).all()
    assert (x_adv[:, 1, 2, 5] > 0.9).all()


def test_what_takes_two_pixels_is_found_with_three_and_not_with_one():
    x = torch.zeros(4, 1, 6, 6)
    assert not attack(Vote(), x, pixels=1, population=50, steps=20)[1].any()
    x_adv, success = attack(Vote(), x, pixels=3, population=50, steps=20)
    found = changed(x, x_adv)
    assert success.all() and (found >= 2).all() and (found <= 3).all()


@pytest.mark.parametrize("norm", ["linf", "l2"])
@pytest.mark.parametrize("epsilon, reached", [(0.25, True), (0.19, False)])
def test_epsilon_bounds_the_change_of_the_pixels(norm, epsilon, reached):
    x = torch.full((4, 3, 8, 8), 0.7)  # 0.2 below what fools
    _, success = attack(Planted(), x, norm=norm, epsilon=epsilon)
    assert success.eq(reached).all()


def test_a_better_gene_spreads_where_the_first_generation_fools_nobody():
    class Narrow(Planted):
        """The same pixel, where only one colour in thousands fools, and the slope leads to it."""

        def forward(self, x):
            miss = (x[:, :, 2, 5] - 0.3).abs().sum(1) - 0.01
            return torch.stack([miss, -miss], 1)

    x = torch.ones(4, 3, 4, 6)
    assert not attack(Narrow(), x, steps=1)[1].any()
    assert attack(Narrow(), x, steps=100)[1].all()


def test_the_queries_are_those_of_the_paper_where_nothing_fools():
    asked = []
    model = nn.Sequential(nn.Flatten(), nn.Linear(12, 2))
    nn.init.zeros_(model[1].weight)
    model[1].bias.data = torch.tensor([1.0, 0.0])
    model.register_forward_pre_hook(lambda _, inputs: asked.append(len(inputs[0])))
    x = torch.rand(3, 3, 2, 2)
    x_adv, success = attack(model, x, population=10, steps=7)
    assert not success.any() and x_adv.equal(x)
    assert sum(asked) == 3 + 3 * 10 * (1 + 7) + 2 * 3


def test_first_places_are_uniform_and_colours_normal_around_grey():
    config = one_pixel.Config(population=20_000, pixels=2)
    genes = _first_generation(torch.zeros(2, 3, 8, 8), config, torch.Generator().manual_seed(0))
    assert genes.shape == (2, 20_000, 2, 5)
    places, colours = genes[..., :2].flatten(), genes[..., 2:].flatten()
    assert torch.histc(places, 10, 0, 1).div(len(places)).sub(0.1).abs().max() < 0.005
    # The mass of N(128, 127) below 0 and above 255, at the ends of the range: 15.7 and 15.9 %.
    assert abs((colours == 0).double().mean() - 0.1567) < 0.005
    assert abs((colours == 1).double().mean() - 0.1587) < 0.005


def test_a_child_has_three_different_parents_each_as_likely():
    size = 7
    genes = (10.0 ** -torch.arange(1, size + 1, dtype=torch.double)).expand(4000, size)
    genes = 0.5 + 0.1 * genes[:, :, None, None]  # sums say which three, and in which part
    config = one_pixel.Config(population=size, differential_weight=0.3)
    children = _children(genes, config, torch.Generator().manual_seed(0)).flatten()
    own = genes[0].flatten()
    triples = torch.cartesian_prod(*[torch.arange(size)] * 3)
    different = triples[[len(set(triple.tolist())) == 3 for triple in triples]]
    values = (own[different] * torch.tensor([1, 0.3, -0.3], dtype=torch.double)).sum(1)
    which = (children[:, None] - values).abs().argmin(1)
    assert (children - values[which]).abs().max() < 1e-12
    counts = which.bincount(minlength=len(different)).double()
    assert (counts / counts.mean() - 1).abs().max() < 0.4  # 133 of each are expected


def test_the_last_of_two_pixels_at_one_place_is_what_is_seen_and_edges_are_pixels():
    x = torch.zeros(1, 1, 3, 4)
    genes = torch.tensor([[[[1.0, 1.0, 0.3], [0.99, 0.8, 0.6]], [[0.0, 0.0, 0.3], [0.5, 0.5, 1]]]])
    first, second = _painted(x, genes, one_pixel.Config(pixels=2))[0, :, 0]
    assert first.count_nonzero() == 1 and first[2, 3] == 0.6
    assert second.count_nonzero() == 2 and second[0, 0] == 0.3 and second[1, 2] == 1
