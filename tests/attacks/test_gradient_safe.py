import pytest
import torch
from torch import nn

from robustinfo.attacks import pgd
from robustinfo.attacks._frozen import frozen
from robustinfo.attacks._gradient_safe import GradientSafe


class Does(nn.Module):
    def __init__(self, forward):
        super().__init__()
        self.does = forward

    def forward(self, x):
        return self.does(x)


def gradient(network, x):
    x = x.clone().requires_grad_()
    return torch.autograd.grad(GradientSafe(network)(x).square().sum(), x)[0]


def test_logits_and_gradients_of_an_honest_network_are_its_own(four_classes):
    p = four_classes
    x = p.x.clone().requires_grad_()
    logits = p.model(x)
    assert GradientSafe(p.model)(x).equal(logits)
    assert gradient(p.model, p.x).equal(torch.autograd.grad(logits.square().sum(), x)[0])


def numpy_inside(model):
    return lambda x: torch.from_numpy(model(torch.from_numpy(x.numpy())).detach().numpy())


@pytest.mark.parametrize("kind", ["detached", "numpy", "constant"])
def test_a_gradient_that_is_missing_is_0_and_an_attack_goes_on(kind, four_classes, generator):
    p = four_classes
    network = {
        "detached": Does(lambda x: p.model(x).detach()),
        "numpy": Does(numpy_inside(p.model)),
        "constant": Does(lambda x: x.new_ones(len(x), 4).requires_grad_()),
    }[kind]
    assert gradient(network, p.x).equal(torch.zeros_like(p.x))
    if kind != "constant":
        with frozen(network):
            assert GradientSafe(network)(p.x).equal(p.model(p.x))
        config = pgd.Config(epsilon=0.3, step_size=0.1, steps=3, restarts=20)
        _, success = pgd.perturb(
            GradientSafe(network), p.x, p.y, config=config, generator=generator
        )
        assert success.any()  # by its starts


def test_a_gradient_that_is_nan_is_0_where_it_is_nan_alone(four_classes):
    p = four_classes
    bad = torch.arange(len(p.y)) % 4 == 0

    def root(x):  # its slope at 0 is infinite, and 0 times infinity is NaN
        logits = p.model(x)
        return logits.index_add(0, bad.nonzero().squeeze(1), (0 * logits[bad]).sqrt())

    found, honest = gradient(Does(root), p.x), gradient(p.model, p.x)
    assert found[bad].equal(torch.zeros_like(p.x[bad]))
    torch.testing.assert_close(found[~bad], honest[~bad])


def test_a_network_that_overwrites_its_input_does_not_overwrite_the_images(four_classes):
    p, before = four_classes, four_classes.x.clone()
    network = GradientSafe(Does(lambda x: p.model(x.mul_(2).sub_(x / 2))))
    plain = network(p.x)
    asking = network(p.x.requires_grad_())
    assert p.x.equal(before)
    torch.testing.assert_close(plain, asking)


def test_a_mistake_that_has_nothing_to_do_with_gradients_is_raised(four_classes):
    with pytest.raises(RuntimeError, match="shapes cannot be multiplied"):
        GradientSafe(nn.Linear(3, 4))(four_classes.x.requires_grad_())


def test_a_network_whose_train_returns_nothing_is_frozen_and_comes_back():
    class Norm(nn.BatchNorm2d):
        def train(self, mode=True):
            super().train(mode)

    model = nn.Sequential(Norm(1), nn.Flatten()).append(Norm(1))
    with frozen(model[0]):
        assert not model[0].training and not model[0].weight.requires_grad
    assert model[0].training and model[0].weight.requires_grad
