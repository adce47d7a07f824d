"""Bounds hold wherever one looks, are those of a slow twin, and exact where that is known."""

from itertools import pairwise

import pytest
import torch
from scipy.optimize import linprog, minimize
from torch import nn
from torch.nn import functional as F

from robustinfo.maths.bounds import Ball, NoBoundError, least_margins, recorded
from robustinfo.maths.bounds.margins import SLACK
from robustinfo.maths.bounds.relaxation import inputs_of, least
from tests.maths import twin_bounds

NORMS = ("linf", "l2", "l1")
EPSILON = {"linf": 0.05, "l2": 0.4, "l1": 1.5}
ALL = 10**6  # hidden neurons: every layer is bounded backward


def connected(*sizes, seed=0, act=nn.ReLU):
    torch.manual_seed(seed)
    layers = [nn.Flatten()]
    for a, b in pairwise(sizes):
        layers += [nn.Linear(a, b), act()]
    return nn.Sequential(*layers[:-1]).eval()


def convolutional(seed=0):
    torch.manual_seed(seed)
    layers = [
        nn.Conv2d(1, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(), nn.AvgPool2d(2),
        nn.Conv2d(4, 6, 3, stride=2), nn.ReLU(), nn.Dropout(), nn.Flatten(), nn.Linear(6, 12),
        nn.ReLU(), nn.Linear(12, 5),
    ]  # fmt: skip
    network = nn.Sequential(*layers)
    network(torch.rand(50, 1, 8, 8))  # statistics of BatchNorm
    return network.eval()


def mixed(seed=0):
    """Every other operation; logits are log-probabilities."""
    torch.manual_seed(seed)

    class Mixed(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv, self.fc = nn.Conv2d(1, 3, 3), nn.Linear(48, 5)
            self.register_buffer("mean", torch.tensor([[[0.2]]]))

        def forward(self, x):
            x = torch.sub(1, (x - self.mean) / 0.3).mul_(0.5).clamp(-2, 2)
            x = F.pad(F.max_pool2d(torch.tanh(-self.conv(x)), 2), (0, 1, 0, 1))
            return F.log_softmax(F.relu_(self.fc(x.view(len(x), -1)) + 0.1).sigmoid(), 1)

    return Mixed().eval()


NETWORKS = {
    "connected": lambda: connected(64, 20, 16, 5),
    "convolutional": convolutional,
    "sigmoid": lambda: connected(64, 12, 5, act=nn.Sigmoid),
    "mixed": mixed,
}


def images(n, seed=1):
    generator = torch.Generator().manual_seed(seed)
    x = torch.rand(n, 1, 8, 8, generator=generator)
    return torch.where(x < 0.3, 0, torch.where(x > 0.8, 1, x))  # many at the edges


def points(x, norm, epsilon, count):
    """Random points of the ball within [0, 1], half of them at its border; (count, *x.shape)."""
    delta = torch.randn(count, *x.shape, dtype=torch.double)
    if norm == "linf":
        delta = epsilon * torch.where(torch.rand_like(delta) < 0.5, delta.sign(), delta.tanh())
    else:
        size = delta.flatten(2).norm(p=int(norm[1]), dim=2)
        delta *= (epsilon * torch.rand(count, len(x)).pow(0.1) / size).view(*size.shape, 1, 1, 1)
    return (x + delta).clamp(0, 1)


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("name", NETWORKS)
@torch.no_grad()
def test_ten_thousand_points_of_the_ball_lie_within_all_bounds(name, norm):
    network, x = NETWORKS[name](), images(5).double()
    steps, ball = recorded(network, x.float()), Ball(x, norm, EPSILON[norm])
    for hidden in (0, ALL):
        bounds = inputs_of(steps, ball, hidden=hidden)
        for _ in range(10):
            t = points(x, norm, EPSILON[norm], 1000).flatten(0, 1)
            for step, bound in zip([*steps, None], bounds, strict=True):
                low, high = (end.repeat(1000, *[1] * (end.ndim - 1)) for end in bound)
                assert (t >= low - 1e-9).all() and (t <= high + 1e-9).all()
                t = t if step is None else step(t)


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("name", NETWORKS)
@torch.no_grad()
def test_no_point_of_the_ball_leads_by_less_than_the_least_margin(name, norm):
    network, x = NETWORKS[name]().double(), images(5).double()
    y = network(x).argmax(1)
    steps = recorded(network, x)
    for hidden in (0, ALL):
        found = least_margins(steps, y, Ball(x, norm, EPSILON[norm]), hidden=hidden)
        logits = network(points(x, norm, EPSILON[norm], 2000).flatten(0, 1)).view(2000, 5, -1)
        own = F.one_hot(y, logits.shape[2]).bool()
        lead = logits[:, own] - logits.masked_fill(own, -torch.inf).amax(2)
        for bound in found:
            assert (lead.amin(0) >= bound).all()


@pytest.mark.parametrize("seed", range(3))
def test_both_bounds_are_those_of_a_twin_that_goes_through_the_neurons_one_by_one(seed):
    network, x = connected(64, 12, 9, 7, 4, seed=seed), images(3, seed)
    y = network(x).argmax(1)
    found = least_margins(recorded(network, x), y, Ball(x.double(), "linf", 0.05), hidden=ALL)
    slack = SLACK * network(x).abs().amax(1).double()
    for number, image in enumerate(x.double()):
        twin = twin_bounds.margins(network, image.flatten().tolist(), int(y[number]), 0.05)
        for ours, theirs in zip(found, twin, strict=True):
            assert (ours[number] + slack[number]).item() == pytest.approx(theirs, abs=1e-9)


def test_relaxation_is_hardly_ever_looser_than_intervals():
    tighter, total = 0, 0
    for seed in range(10):
        network, x = connected(64, 20, 16, 5, seed=seed), images(20, seed)
        y = network(x).argmax(1)
        ball = Ball(x.double(), "linf", 0.03)
        found = least_margins(recorded(network, x), y, ball, hidden=ALL)
        tighter += int((found.relaxation >= found.intervals).sum())
        total += len(x)
    assert tighter >= 0.99 * total


def by_scipy(a, x, norm, epsilon):
    """The least a . (x + d) in the ball within [0, 1], by a linear or a general solver."""
    d = len(a)
    if norm == "l2":
        room = [(-v, 1 - v) for v in x]
        ball = {"type": "ineq", "fun": lambda t: epsilon**2 - t @ t, "jac": lambda t: -2 * t}
        options = {"ftol": 1e-13, "maxiter": 500}
        start = [0.0] * d
        found = minimize(lambda t: a @ t, start, jac=lambda t: a, bounds=room, constraints=[ball],
                         method="SLSQP", options=options)  # fmt: skip
        return a @ x + found.fun
    plus = [(0, min(epsilon, 1 - v) if norm == "linf" else 1 - v) for v in x]
    minus = [(0, min(epsilon, v) if norm == "linf" else v) for v in x]
    spent = {"A_ub": [[1.0] * 2 * d], "b_ub": [epsilon]} if norm == "l1" else {}
    return a @ x + linprog([*a, *-a], bounds=plus + minus, **spent).fun


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("epsilon", [0.05, 0.3, 0.9, 3.0])
def test_the_least_value_in_a_ball_is_what_a_solver_finds(norm, epsilon):
    x, a = images(6).double()[..., :3, :4], torch.randn(6, 2, 1, 3, 4, dtype=torch.double)
    a[0, 0, 0, 0] = 0
    found = Ball(x, norm, epsilon).least(a)
    for image, rows, values in zip(x, a, found, strict=True):
        for row, value in zip(rows, values, strict=True):
            exact = by_scipy(row.flatten().numpy(), image.flatten().numpy(), norm, epsilon)
            assert value.item() == pytest.approx(exact, abs=1e-6 if norm == "l2" else 1e-9)


@pytest.mark.parametrize("norm", NORMS)
def test_a_linear_network_is_bounded_exactly(norm):
    network, x = connected(64, 5), images(4)
    y = network(x).argmax(1)
    weight, bias = network[1].weight.double(), network[1].bias.double()
    ball = Ball(x.double(), norm, EPSILON[norm])
    rows = (weight[y][:, None] - weight).view(4, 5, 1, 8, 8)
    exact = ball.least(rows) + bias[y][:, None] - bias
    exact = exact.scatter(1, y[:, None], torch.inf).amin(1)
    for bound in least_margins(recorded(network, x), y, ball, hidden=0):
        assert bound.tolist() == pytest.approx(exact.tolist(), abs=1e-5)


class Two(nn.Module):
    def __init__(self, forward):
        super().__init__()
        self.inner, self.head, self.act = nn.Flatten(), nn.Linear(64, 5), forward

    def forward(self, x):
        return self.act(self, x)


REFUSED = {
    "round": lambda m, x: m.head(m.inner(x)).round(),
    "a branch (view)": lambda m, x: m.head(m.inner(x)) + m.head(m.inner(x)).relu(),
    "a branch (mul)": lambda m, x: m.head(m.inner(x * x)),
    "sum": lambda m, x: m.head(m.inner(x)) * (2 if x.sum() > 3 else 1),
    "_softmax": lambda m, x: m.head(m.inner(x)).softmax(1),
    "mean across images": lambda m, x: m.head(m.inner(x).mean(0, keepdim=True)),
    "add of what may differ by image": lambda m, x: m.head(m.inner(x)) + torch.eye(len(x), 5),
    "relu behind a log-softmax": lambda m, x: m.head(m.inner(x)).log_softmax(1).relu(),
    "native_batch_norm in training mode": lambda m, x: m.head(
        m.inner(F.batch_norm(x, None, None, training=True))
    ),
    "logits that do not follow from images": lambda m, x: torch.from_numpy(
        m.head(m.inner(x)).detach().numpy().copy()
    ),
    "other answers than those of its recorded operations": lambda m, x: (
        m.head(m.inner(x)) * (1 if len(x) == 2 else 2)
    ),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_cannot_be_bounded_is_said_and_never_guessed(what):
    torch.manual_seed(0)
    with pytest.raises(NoBoundError) as error:
        recorded(Two(REFUSED[what]).eval(), images(6))
    assert error.value.what == what
    expected = what.replace("mul of two", "mul of two")
    assert error.value.what.startswith(expected.split(" of two")[0])


def test_an_operation_is_named_with_its_layer():
    network = nn.Sequential(nn.Flatten(), nn.Sequential(nn.Linear(64, 5), nn.Softmax(1)))
    with pytest.raises(NoBoundError, match=r"no bound: _softmax at 1\.1"):
        recorded(network, images(3))


def test_rows_are_passed_in_parts_with_the_same_result(monkeypatch):
    network, x = convolutional(), images(3)
    steps, ball = recorded(network, x), Ball(x.double(), "linf", 0.05)
    inputs, rows = inputs_of(steps, ball, hidden=ALL), torch.eye(5).double().expand(3, 5, 5)
    whole = least(steps, rows, inputs, ball)
    monkeypatch.setattr("robustinfo.maths.bounds.relaxation.VALUES", 1)
    assert torch.allclose(least(steps, rows, inputs, ball), whole, atol=1e-12)
