"""A long search by gradients finds what is there to climb, and nothing where nothing is."""

import pytest
import torch
from pydantic import ValidationError
from sklearn.datasets import load_digits
from torch import nn
from torch.nn import functional as F

from robustinfo.attacks import gradient_search, pgd, square
from robustinfo.maths.balls import feasible

NORMS = pytest.mark.parametrize("norm, epsilon", [("linf", 0.1), ("l2", 0.5)])


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def search(model, x, y, seed=0, starts=None, **settings):
    config = gradient_search.Config(**settings)
    return gradient_search.perturb(
        model, x, y, config=config, generator=generator(seed), starts=starts
    )


class Front(nn.Module):
    """A network behind a function of the image, with a factor on its logits."""

    def __init__(self, network, front=nn.Identity(), scale=1.0):  # noqa: B008
        super().__init__()
        self.network, self.front, self.scale = network, front, scale

    def forward(self, x):
        return self.scale * self.network(self.front(x))


class Greys(nn.Module):
    """16 of them: the gradient is 0 everywhere."""

    def forward(self, x):
        return (15 * x).round() / 15


@pytest.fixture(scope="module")
def trained():
    """A fully connected ReLU network of real digits, 2 x 256, and images it gets right."""
    torch.manual_seed(0)
    digits = load_digits()
    x = torch.tensor(digits.images[:1000, None] / 16, dtype=torch.float32)
    y = torch.tensor(digits.target[:1000])
    wide = (nn.Linear(64, 256), nn.ReLU(), nn.Linear(256, 256), nn.ReLU(), nn.Linear(256, 10))
    model = nn.Sequential(nn.Flatten(), *wide)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.003)
    for _ in range(100):
        optimizer.zero_grad()
        F.cross_entropy(model(x[:900]), y[:900]).backward()
        optimizer.step()
    return model.eval(), x[900:], y[900:]


@NORMS
@pytest.mark.parametrize("scale", [1.0, 1000.0])
def test_it_finds_what_squares_find_on_a_network_that_hides_nothing(norm, epsilon, scale, trained):
    """At 1000 times the logits the cross-entropy of a short PGD is flat in float32.

    One image has a margin at which most paths end, and not every seed finds the way around.
    """
    model, x, y = trained
    hot, ball = Front(model, scale=scale), {"norm": norm, "epsilon": epsilon}
    config = square.Config(**ball, queries=1000)
    made, squares = square.perturb(hot, x, y, config=config, generator=generator())
    success = search(hot, x, y, **ball, steps=100, restarts=2)[1]
    assert (squares & ~success).sum() <= 1 and squares.sum() > 10 and not success.all()
    assert search(hot, x, y, **ball, steps=100, restarts=2, starts=made)[1][squares].all()
    ascent = pgd.Config(**ball, step_size=epsilon / 8, steps=20)
    short = pgd.perturb(hot, x, y, config=ascent, generator=generator())[1]
    assert ((squares & ~short).sum() > 5) == (scale > 1)


@NORMS
def test_what_it_finds_is_within_the_ball_and_fools(norm, epsilon, trained):
    model, x, y = trained
    x_adv, success = search(model, x, y, norm=norm, epsilon=epsilon, steps=20, restarts=0)
    correct = model(x).argmax(1) == y
    assert success.equal(correct & (model(x_adv).argmax(1) != y)) and success.any()
    assert feasible(x, x_adv, norm, epsilon).all() and x_adv[~success].equal(x[~success])


@NORMS
def test_behind_16_greys_there_is_no_gradient_and_it_finds_nothing_even_from_what_squares_found(
    norm, epsilon, trained
):
    model, x, y = trained
    flat, ball = Front(model, Greys()), {"norm": norm, "epsilon": epsilon}
    config = square.Config(**ball, queries=300)
    made, squares = square.perturb(flat, x, y, config=config, generator=generator())
    assert squares.sum() > 10
    for starts in (None, made):
        x_adv, success = search(flat, x, y, **ball, steps=10, restarts=0, starts=starts)
        assert not success.any() and x_adv.equal(x)


class Hill(nn.Module):
    """One pixel: from 0.45 the way up leads down to a border, behind 0.5 it leads up to class 1."""

    def forward(self, x):
        height = (x.flatten(1) - 0.5).abs()
        return torch.cat([0 * height + 0.2, height], 1)


def test_from_a_given_start_it_climbs_where_from_the_image_every_gradient_leads_away():
    x, y = torch.full((1, 1, 1, 1), 0.45), torch.tensor([0])
    numbers = {"epsilon": 0.3, "steps": 4, "restarts": 0}
    wall = Front(Hill(), nn.Hardtanh(0.4, 1.0))  # below 0.4 it is flat
    assert wall(torch.full_like(x, 0.74)).argmax(1) == 1
    for starts, expected in ((None, False), (torch.full_like(x, 0.74), True)):
        assert search(wall, x, y, starts=starts, **numbers)[1].item() is expected


@torch.no_grad()
def test_a_given_start_that_fools_goes_half_way_until_it_does_not_and_once_more(two_classes):
    p = two_classes
    w = p.weight[1 - p.y] - p.weight[p.y]
    logits = p.model(p.x)
    gap = logits.gather(1, p.y[:, None]) - logits.gather(1, 1 - p.y[:, None])
    way = (w / w.norm(dim=1, keepdim=True)).view_as(p.x)
    reach = (gap / w.norm(dim=1, keepdim=True)).view(-1, 1, 1, 1)  # of the boundary
    for factor, expected in ((0.9, 0.9), (1.1, 0.275), (1.9, 0.475), (2.1, 0.2625), (1e6, 0)):
        begun = gradient_search._pulled_back(p.model, p.x, p.y, p.x + factor * reach * way)
        expected = expected * reach * way
        torch.testing.assert_close(begun - p.x, expected, atol=1e-6 + 1e-6 * factor, rtol=1e-3)


def test_a_given_start_between_islands_of_another_class_is_not_one_of_them():
    class Islands(nn.Module):
        """Class 1 at 0.6 and at 0.9, and not between."""

        def forward(self, x):
            u = x.flatten(1)
            near = torch.minimum((u - 0.6).abs(), (u - 0.9).abs())
            return torch.cat([near, 0 * near + 0.02], 1)

    x, start = torch.full((2, 1, 1, 1), 0.3), torch.tensor([0.9, 1.0]).view(-1, 1, 1, 1)
    begun = gradient_search._pulled_back(Islands(), x, torch.tensor([0, 0]), start)
    assert begun.flatten().tolist() == pytest.approx([0.375, 1.0])


@pytest.mark.parametrize("classes", [2, 3, 4])
def test_of_two_classes_there_is_no_ratio_and_all_else_is_climbed(classes):
    torch.manual_seed(classes)
    model = nn.Sequential(nn.Flatten(), nn.Linear(16, classes)).eval()
    x = torch.rand(32, 1, 4, 4)
    y = model(x).argmax(1)
    success = search(model, x, y, epsilon=0.2, steps=20)[1]
    assert success.any() and search(model, x, y, epsilon=0.0, steps=2)[1].sum() == 0


def test_the_tempered_loss_does_not_change_with_the_logits_scale():
    logits = torch.tensor([[3.0, 1.0, 0.5, -1.0], [0.2, 0.9, 0.1, 0.0]])
    y = torch.tensor([0, 0])
    for scale in (1e-3, 1.0, 1e4):
        tempered = gradient_search._tempered(scale * logits, y)
        expected = F.cross_entropy(logits / torch.tensor([[2.0], [0.7]]), y, reduction="none")
        torch.testing.assert_close(tempered, expected)


def test_the_cost_is_the_one_it_states(two_classes, four_classes):
    for p, losses in ((two_classes, 3), (four_classes, 4)):
        asked = []

        def note(_, given, asked=asked):
            asked.append(len(given[0]) if given[0].requires_grad else 0)

        hook = p.model.register_forward_pre_hook(note)
        search(p.model, p.x, p.y, epsilon=0.0, steps=3, starts=p.x)
        hook.remove()
        assert sum(asked) == 64 * 3 * losses * 7
    assert gradient_search.RUNS == 4 * 7


def test_the_steps_fall_from_a_whole_epsilon_to_none():
    config = gradient_search.Config(epsilon=0.2, steps=6)
    sizes = gradient_search.ascent(config).step_sizes
    assert sizes[0] == 0.2 and sizes[3] == pytest.approx(0.1)
    assert [a + b for a, b in zip(sizes[1:], sizes[:0:-1], strict=True)] == pytest.approx([0.2] * 5)


def test_it_needs_no_restart_and_no_negative_one():
    with pytest.raises(ValidationError, match="greater than or equal to 0"):
        gradient_search.Config(epsilon=0.1, restarts=-1)
