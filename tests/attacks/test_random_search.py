"""Random search is compared with every draw it made, as the network saw it."""

import pytest
import torch
from scipy import stats
from torch import nn

from robustinfo.attacks import random_search
from robustinfo.maths.balls import distance

NORMS = pytest.mark.parametrize("norm, epsilon", [("linf", 0.1), ("l2", 0.15)])


class Recorded(nn.Module):
    """The model, and every image it was asked about."""

    def __init__(self, model):
        super().__init__()
        self.model, self.asked = model, []

    def forward(self, x):
        self.asked.append(x)
        return self.model(x)


class Stubborn(nn.Module):
    """Always class 0."""

    def forward(self, x):
        return torch.tensor([[1.0, 0.0]]).expand(len(x), -1)


def search(model, x, y, seed=0, **settings):
    config, generator = random_search.Config(**settings), torch.Generator().manual_seed(seed)
    return random_search.perturb(model, x, y, config=config, generator=generator)


def drawn(x, draws=2000, **settings):
    """(draws, d) what was added to the one image x, which nothing fools."""
    model = Recorded(Stubborn())
    search(model, x, torch.zeros(1, dtype=torch.int64), draws=draws, **settings)
    noise = torch.cat(model.asked[1:])[:draws] - x  # first the image, last the verdict
    return noise.flatten(1).double()


def test_linf_draws_are_uniform_in_every_pixel_and_independent():
    z = drawn(torch.full((1, 1, 3, 3), 0.5), epsilon=0.1) / 0.1
    assert z.shape == (2000, 9)
    for pixel in z.T:
        assert stats.kstest(pixel, stats.uniform(-1, 2).cdf).pvalue > 1e-4
    correlations = torch.corrcoef(z.T) - torch.eye(9)
    assert correlations.abs().max() < 0.1


def test_l2_draws_are_uniform_in_the_ball_and_not_only_on_its_surface():
    """The d-th power of the radius is uniform; so is no direction more likely than another."""
    z = drawn(torch.full((1, 1, 3, 3), 0.5), norm="l2", epsilon=0.3) / 0.3
    assert stats.kstest(z.norm(dim=1) ** 9, stats.uniform.cdf).pvalue > 1e-4
    torch.testing.assert_close(z.T @ z / 2000, torch.eye(9).double() / 11, atol=0.012, rtol=0)


@NORMS
def test_draws_are_cut_to_images(norm, epsilon):
    z = drawn(torch.zeros(1, 1, 3, 3), norm=norm, epsilon=epsilon)
    assert z.min() == 0 and (z == 0).double().mean().item() == pytest.approx(0.5, abs=0.02)


@NORMS
def test_an_image_falls_if_any_draw_fools_and_the_first_that_does_is_kept(
    norm, epsilon, four_classes
):
    p = four_classes
    settings = {"norm": norm, "epsilon": epsilon, "draws": 300}
    noise = drawn(p.x[:1], **settings).float().view(-1, 1, *p.x.shape[1:])
    x_adv, success = search(p.model, p.x, p.y, **settings)
    for x, y, found, fell in zip(p.x, p.y, x_adv, success, strict=True):
        fooled = p.model((x + noise).flatten(0, 1)).argmax(1) != y
        assert fooled.any() == fell
        if fell:
            torch.testing.assert_close(found, x + noise[fooled.nonzero()[0, 0], 0])
    assert success.any() and not success.all()


@NORMS
def test_how_images_are_batched_decides_nothing(norm, epsilon, four_classes):
    p = four_classes
    settings = {"norm": norm, "epsilon": epsilon, "draws": 100}
    whole = search(p.model, p.x, p.y, **settings)
    parts = [
        search(p.model, x, y, **settings) for x, y in zip(p.x.split(7), p.y.split(7), strict=True)
    ]
    for together, apart in zip(whole, zip(*parts, strict=True), strict=True):
        assert together.equal(torch.cat(apart))


def test_batches_that_share_a_generator_share_the_draws(four_classes, generator):
    p, config = four_classes, random_search.Config(epsilon=0.1, draws=100)
    first, second = (
        random_search.perturb(p.model, p.x, p.y, config=config, generator=generator)[0]
        for _ in range(2)
    )
    assert first.equal(second)


def test_more_draws_find_the_same_and_more(four_classes):
    p = four_classes
    few, fell = search(p.model, p.x, p.y, epsilon=0.1, draws=20)
    many, also = search(p.model, p.x, p.y, epsilon=0.1, draws=1000)
    assert many[fell].equal(few[fell])
    assert (also | ~fell).all() and also.sum() > fell.sum() > 0


def test_what_fell_is_asked_no_more_and_no_batch_is_larger_than_an_evaluation(two_classes):
    p = two_classes
    model = Recorded(p.model)
    _, success = search(model, p.x, p.y, epsilon=0.15, draws=640)
    asked = torch.tensor([len(x) for x in model.asked])
    assert asked.max() <= 512
    searched = asked.sum() - 3 * len(p.y)  # once before the search, twice to judge
    assert searched < 640 * ((~success).sum() + 0.5 * success.sum())
    assert searched >= 640 * (~success).sum()


def test_an_image_without_a_success_gets_exactly_its_draws():
    model = Recorded(Stubborn())
    search(model, torch.rand(3, 1, 2, 2), torch.zeros(3, dtype=torch.int64), epsilon=0.1, draws=70)
    assert sum(len(x) for x in model.asked) == 3 * 70 + 9


def test_where_no_image_is_correct_nothing_is_drawn(two_classes):
    p = two_classes
    model = Recorded(p.model)
    x_adv, success = search(model, p.x, 1 - p.y, epsilon=0.2)
    assert not success.any() and x_adv.equal(p.x)
    assert sum(len(x) for x in model.asked) == 3 * len(p.y)


def test_successes_lie_within_epsilon_of_their_image(four_classes):
    p = four_classes
    x_adv, success = search(p.model, p.x, p.y, norm="l2", epsilon=0.3, draws=50)
    assert (distance(x_adv - p.x, "l2")[success] <= 0.3 + 1e-6).all() and success.any()
