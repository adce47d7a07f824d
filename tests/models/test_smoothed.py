"""A smoothed network averages probabilities over fixed noise; in training it is the network."""

import pytest
import torch
from scipy.stats import norm
from torch import nn

from robustinfo.models import smoothed

SHAPE = (1, 12, 12)
LENET = {"method": "lenet5"}


def built(**numbers):
    torch.manual_seed(0)
    config = smoothed.Config(network=LENET, **{"sigma": 0.3, "samples": 6} | numbers)
    return smoothed.build(SHAPE, 4, config=config)


def test_it_gives_the_log_of_the_mean_probabilities_of_its_noisy_copies():
    model, x = built().eval(), torch.rand(5, *SHAPE)
    copies = model.copies
    each = [copies.network(x + 0.3 * noise).softmax(1) for noise in copies.noise]
    assert torch.allclose(model(x), torch.stack(each).mean(0).log(), atol=1e-6)
    assert model(x).equal(model(x))


def test_in_training_it_is_the_network():
    model, x = built().train(), torch.rand(5, *SHAPE)
    assert torch.allclose(model(x), model.copies.network(x).log_softmax(1), atol=1e-6)


def test_the_noise_has_the_deviation_it_says_and_is_kept_with_the_weights():
    model = built(samples=500)
    assert model.copies.noise.std().item() == pytest.approx(1, abs=0.02)
    other = built(samples=500)
    other.copies.noise.zero_()
    other.load_state_dict(model.state_dict())
    assert other.copies.noise.equal(model.copies.noise)


def test_of_a_sharp_step_it_gives_the_normal_distribution():
    """A step at 0, with sure answers: the probability of class 1 is Phi(distance / sigma)."""
    step = nn.Sequential(nn.Flatten(), nn.Linear(1, 2, bias=False))
    step[1].weight.data = torch.tensor([[-1e6], [1e6]])
    noise = torch.randn(20_000, 1, 1, 1, generator=torch.Generator().manual_seed(0))
    model = nn.Sequential(smoothed.Copies(step, noise, 0.5), smoothed.Mixture()).eval()
    at = torch.tensor([-0.6, 0.1, 0.7])
    found = model(at.view(3, 1, 1, 1)).exp()[:, 1]
    assert found.tolist() == pytest.approx(norm.cdf(at.numpy() / 0.5).tolist(), abs=0.01)
