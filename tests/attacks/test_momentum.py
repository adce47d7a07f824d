"""Momentum by hand, on a loss whose slope in one pixel turns while the other leads."""

import foolbox.attacks as fa
import pytest
import torch
from torch import nn

from robustinfo.attacks import _foolbox, bim, mi_fgsm

FIRST = [-0.01 / 0.155, -0.3 / 0.155]  # -u over the mean of |u|, at u = (0.01, 0.3)
NUMBERS = {"epsilon": 0.3, "step_size": 0.015, "steps": 2}


class Bowl(nn.Module):
    """Two pixels; the loss of class 0 falls with |u|^2, u = x - 1/2: its gradient is along -u."""

    def forward(self, x):
        square = (x.flatten(1) - 0.5).square().sum(1)
        return torch.stack([square, -square], 1)


def walk(attack=mi_fgsm, u=(0.01, 0.3), **settings):
    """Where the attack ends, in u."""
    x, y = 0.5 + torch.tensor(u, dtype=torch.double).view(1, 1, 1, 2), torch.tensor([0])
    config = attack.Config(**NUMBERS | settings)
    x_adv = attack.craft(Bowl(), x, y, config=config, generator=torch.Generator())
    return (x_adv - 0.5).flatten().tolist()


def test_the_second_step_follows_the_sum_of_both_gradients_each_over_its_size():
    # After one step u = (-0.005, 0.285): the gradient in the first pixel has turned.
    second = [0.005 / 0.145, -0.285 / 0.145]
    assert FIRST[0] + second[0] < 0 < second[0]
    assert walk(momentum=1.0) == pytest.approx([-0.02, 0.27])
    assert 0.4 * FIRST[0] + second[0] > 0
    assert walk(momentum=0.4) == pytest.approx([0.01, 0.27])


def test_foolboxs_own_adds_signs_and_stands_still_where_they_cancel():
    x, y = 0.5 + torch.tensor([0.01, 0.3]).view(1, 1, 1, 2), torch.tensor([0])
    attack = fa.LinfMomentumIterativeFastGradientMethod(abs_stepsize=0.015, steps=2)
    _, x_adv = _foolbox.run(attack, Bowl(), x, y, epsilon=0.3, generator=torch.Generator())
    assert (x_adv - 0.5).flatten().tolist() == pytest.approx([-0.005, 0.27], abs=1e-6)


@pytest.mark.parametrize("ahead", [0.0, 0.1])
def test_in_l2_the_step_has_the_direction_of_the_momentum_and_nesterov_looks_ahead_by_it(ahead):
    u = torch.tensor([0.01, 0.3], dtype=torch.double)
    first = -u / u.abs().mean()
    v = u + 0.1 * first / first.norm()
    at = v + ahead * 0.9 * first
    second = 0.9 * first - at / at.abs().mean()
    end = v + 0.1 * second / second.norm()
    found = walk(norm="l2", step_size=0.1, momentum=0.9, nesterov=ahead > 0)
    assert found == pytest.approx(end.tolist(), rel=1e-9)


@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_without_momentum_it_is_the_basic_iterative_method(norm):
    for u in ((0.01, 0.3), (-0.2, 0.02), (0.0, 0.1)):
        expected = walk(bim, u=u, norm=norm, steps=5)
        assert walk(u=u, norm=norm, steps=5, momentum=0.0) == pytest.approx(expected)


def test_a_gradient_that_all_but_vanishes_still_has_a_direction():
    class Faint(Bowl):
        def forward(self, x):
            return 1e-20 * super().forward(x)

    x = torch.rand(4, 1, 1, 2, generator=torch.Generator().manual_seed(0))
    y, config = torch.zeros(4, dtype=torch.int64), mi_fgsm.Config(**NUMBERS | {"norm": "l2"})
    ends = [
        mi_fgsm.craft(model, x, y, config=config, generator=torch.Generator())
        for model in (Bowl(), Faint())
    ]
    assert not ends[0].equal(x)
    torch.testing.assert_close(*ends, atol=1e-6, rtol=0)
