"""The copy that is attacked computes what the network computes, with fewer layers."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from robustinfo.attacks._fused_batchnorm import fold_batchnorm, fold_for_training
from robustinfo.models import all_cnn, densenet, lenet5, resnet18, vgg16, wide_resnet

SHAPE = (3, 16, 16)
NETWORKS = {  # and how many BatchNorms are left
    "lenet5": (lenet5, {}, 0),
    "resnet18": (resnet18, {"width": 4}, 0),
    "vgg16": (vgg16, {"width": 8, "hidden": 16}, 0),
    "all_cnn": (all_cnn, {"filters": (8, 16)}, 0),
    "densenet": (densenet, {"blocks": (2, 2)}, 6),
    "wide_resnet": (wide_resnet, {"depth": 10, "width": 1}, 4),  # after a sum, or read twice
}


def trained(model, dtype=torch.float32):
    """With weights and statistics of BatchNorm that are not those of a new one."""
    torch.manual_seed(0)
    x = torch.rand(12, *SHAPE)
    for layer in model.modules():
        if isinstance(layer, nn.BatchNorm2d):
            nn.init.uniform_(layer.weight, 0.5, 1.5)
            nn.init.normal_(layer.bias)
    for _ in range(3):
        model(x)
    return model.eval().requires_grad_(False).to(dtype), x.to(dtype)


def norms(model):
    return sum(isinstance(layer, nn.BatchNorm2d) for layer in model.modules())


@pytest.mark.parametrize("name", NETWORKS)
def test_logits_and_gradients_are_the_same_without_the_batchnorms_after_convolutions(name):
    module, settings, left = NETWORKS[name]
    model, x = trained(module.build(SHAPE, 10, config=module.Config(**settings)), torch.double)
    before = {key: value.clone() for key, value in model.state_dict().items()}
    twin = fold_batchnorm(model, x)
    assert twin is not model and norms(twin) == left
    found = []
    for network in (model, twin):
        images = x.clone().requires_grad_()
        logits = network(images)
        found.append((logits, *torch.autograd.grad(logits.square().sum(), images)))
    torch.testing.assert_close(*found, rtol=1e-9, atol=1e-9)
    assert all(model.state_dict()[key].equal(value) for key, value in before.items())
    assert not any(weight.requires_grad for weight in twin.parameters())


class Chain(nn.Module):
    """A convolution, something, and a BatchNorm."""

    def __init__(self, between=torch.clone, conv=None, norm=None):
        super().__init__()
        self.conv = nn.Conv2d(3, 3, 3, padding=1) if conv is None else conv
        self.norm = nn.BatchNorm2d(3) if norm is None else norm
        self.between, self.last = between, nn.Sequential(nn.Flatten(), nn.Linear(768, 4))

    def forward(self, x):
        return self.last(self.norm(self.between(self.conv(x))))


class Twice(Chain):
    def forward(self, x):
        return self.last(self.norm(self.conv(self.norm(self.conv(x)))))


class Sum(Chain):
    def forward(self, x):
        x = self.conv(x)
        return self.last(self.norm(x) + self.between(x))


KEPT = {
    "a tensor of its own between": Chain(torch.relu),
    "the same tensor, changed": Chain(F.relu_),
    "the convolution read by a sum": Sum(),
    "both used twice": Twice(),
    "a weight that is computed": Chain(
        conv=nn.utils.parametrizations.spectral_norm(nn.Conv2d(3, 3, 3, padding=1))
    ),
    "statistics of the batch": Chain(norm=nn.BatchNorm2d(3, track_running_stats=False)),
}


@pytest.mark.parametrize("name", KEPT)
def test_a_batchnorm_that_cannot_be_folded_stays(name):
    model, x = trained(KEPT[name])
    twin = fold_batchnorm(model, x)
    assert twin is not model and norms(twin) == 1
    torch.testing.assert_close(twin(x), model(x), rtol=1e-5, atol=1e-5)


def test_where_folding_would_change_the_answers_the_network_itself_comes_back():
    model, x = trained(Sum(torch.detach))
    assert fold_batchnorm(model, x) is model


class Caught(Chain):
    """Answers with what a hook caught, which a copy would catch for the original."""

    def __init__(self):
        super().__init__(nn.Identity())
        self.caught = {}
        self.norm.register_forward_hook(lambda *passed: self.caught.update(features=passed[-1]))

    def forward(self, x):
        self.norm(self.conv(x))
        return self.last(self.caught["features"])


@pytest.mark.parametrize("images", [2, 12])
def test_a_network_with_a_hook_is_not_copied(images):
    model, x = trained(Caught())
    assert fold_batchnorm(model, x[:images]) is model
    assert fold_for_training(model, x[:images]) is model


class Asks(Chain):
    """Reads a number of its BatchNorm, which the copy has no more."""

    def forward(self, x):
        assert self.norm.num_features
        return super().forward(x)


def test_a_network_that_reads_its_batchnorm_itself_is_not_folded():
    model, x = trained(Asks(nn.Identity()))
    assert fold_batchnorm(model, x) is model


class InOrder(Chain):
    def forward(self, x):
        return self.last[1](self.norm(self.conv(x)).view(len(x), -1))


class Uncopied(Chain):
    def forward(self, x):
        self.seen = 1 * self.conv.weight.detach().requires_grad_()  # no leaf: deepcopy refuses it
        return super().forward(x)


class Detached(Chain):
    def forward(self, x):
        with torch.no_grad():
            return super().forward(x)


def test_a_network_that_asks_for_tensors_in_order_is_copied_without_channels_last():
    model, x = trained(InOrder())
    twin = fold_batchnorm(model, x)
    assert twin is not model and norms(twin) == 0
    torch.testing.assert_close(twin(x), model(x), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("kind", [Uncopied, Detached])
def test_a_network_that_cannot_be_copied_or_climbed_is_attacked_itself(kind):
    model, x = trained(kind(nn.Identity()))
    with torch.enable_grad():
        model(x)
    assert fold_batchnorm(model, x) is model


def moved_on(model):
    """Training, as far as the copy can tell: weights, statistics and buffers are others."""
    for tensor in (*model.parameters(), *model.buffers()):
        if tensor.is_floating_point():
            tensor.data.mul_(1.1).add_(0.01)


@pytest.mark.parametrize("name", ["resnet18", "densenet", "wide_resnet"])
def test_one_copy_follows_a_network_that_is_trained_as_if_it_were_made_anew(name):
    module, settings, left = NETWORKS[name]
    model, x = trained(module.build(SHAPE, 10, config=module.Config(**settings)), torch.double)
    model.train().requires_grad_(True)
    first = fold_for_training(model, x)
    assert norms(first) == left and not any(weight.requires_grad for weight in first.parameters())
    for _ in range(2):
        moved_on(model)
        twin = fold_for_training(model, x)
        assert twin is first
        torch.testing.assert_close(twin(x), model.eval()(x), rtol=1e-9, atol=1e-9)
        model.train()
    assert all(weight.requires_grad for weight in model.parameters()) and model.training


def test_a_network_with_other_layers_or_tensors_gets_a_new_copy():
    model, x = trained(Chain(nn.Identity()))
    first = fold_for_training(model, x)
    model.last[1] = nn.Linear(768, 4)
    second = fold_for_training(model, x)
    assert second is not first and norms(second) == 0
    torch.testing.assert_close(second(x), model(x), rtol=1e-5, atol=1e-5)
    assert fold_for_training(model.double(), x.double())(x.double()).dtype == torch.double


def test_what_has_nothing_to_fold_or_is_watched_is_followed_by_nothing():
    plain, x = trained(lenet5.build(SHAPE, 10, config=lenet5.Config()))
    assert fold_for_training(plain, x) is plain
    watched, x = trained(Chain(nn.Identity()))
    watched.conv.register_forward_hook(lambda *_: None)
    assert fold_for_training(watched, x) is watched


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_on_a_gpu_the_copy_follows_too():
    model, x = trained(resnet18.build(SHAPE, 10, config=resnet18.Config(width=4)), torch.double)
    model, x = model.cuda(), x.cuda()
    first = fold_for_training(model, x)
    moved_on(model)
    assert fold_for_training(model, x) is first and norms(first) == 0
    torch.testing.assert_close(first(x), model(x), rtol=1e-9, atol=1e-9)
