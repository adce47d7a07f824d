"""Training with noise: its loss is that of noisy images, of the deviation that it says."""

import pytest
import torch
from torch import nn

from robustinfo.defences import gaussian_noise

CONFIG = gaussian_noise.Config(sigma=0.4, loss={"method": "cross_entropy"})


def seeded():
    return torch.Generator().manual_seed(0)


def test_the_loss_is_that_of_the_noisy_images():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Flatten(), nn.Linear(16, 3))
    x, y = torch.rand(8, 1, 4, 4), torch.tensor([0, 1, 2, 0, 1, 2, 0, 1])
    noisy = gaussian_noise.with_noise(x, CONFIG.sigma, seeded())
    terms = gaussian_noise.loss_terms(model, x, y, config=CONFIG, generator=seeded())
    expected = nn.functional.cross_entropy(model(noisy), y)
    assert {name: value.item() for name, value in terms.items()} == {"noisy": expected.item()}


def test_noise_is_normal_and_not_cut_to_the_range_of_pixels():
    x = torch.rand(2000, 1, 4, 4)
    noise = gaussian_noise.with_noise(x, CONFIG.sigma, seeded()) - x
    assert noise.std().item() == pytest.approx(0.4, rel=0.02)
    assert noise.mean().item() == pytest.approx(0, abs=0.01)
    assert ((noise / 0.4).abs() > 2).double().mean().item() == pytest.approx(0.0455, abs=0.005)


def test_noise_makes_the_margin_grow_with_it():
    """On one feature and two clusters the fitted slope falls as the noise grows."""
    slopes = []
    for sigma in (0.05, 0.5):
        torch.manual_seed(0)
        model, generator = nn.Sequential(nn.Flatten(), nn.Linear(1, 2)), seeded()
        y = torch.arange(400) % 2
        x = (0.3 + 0.4 * y).view(-1, 1, 1, 1)
        optimizer = torch.optim.Adam(model.parameters(), 0.1)
        config = CONFIG.model_copy(update={"sigma": sigma})
        for _ in range(150):
            optimizer.zero_grad()
            terms = gaussian_noise.loss_terms(model, x, y, config=config, generator=generator)
            terms["noisy"].backward()
            optimizer.step()
        slopes.append((model[1].weight[1] - model[1].weight[0]).item())
    # Two normal distributions 0.4 apart: the best log-odds have the slope 0.4 / sigma^2.
    assert slopes[1] == pytest.approx(0.4 / 0.25, rel=0.15) and slopes[0] > 4 * slopes[1]
