import math
from collections import OrderedDict

import pytest
import torch
from pydantic import ValidationError
from sklearn.datasets import load_digits

from robustinfo.attacks import detector_aware_pgd, pgd
from robustinfo.complexities import entropy
from robustinfo.distortions.eight_bit import to_bytes
from robustinfo.models._network import Network

ENTROPY = {"method": "entropy", "alphabet": "grey", "estimator": "plug_in"}
BALL = {"epsilon": 0.2, "step_size": 0.02, "steps": 40, "random_start": False}


def linear(classes):
    layers = OrderedDict(flatten=torch.nn.Flatten(), fc=torch.nn.Linear(64, classes))
    return Network(layers, ["fc"], ["softmax"])


def generator():
    return torch.Generator().manual_seed(0)


@pytest.fixture(scope="module")
def trained():
    """A linear classifier of real digits, and its test images."""
    torch.manual_seed(0)
    digits = load_digits()
    x = torch.tensor(digits.images[:600, None] / 16, dtype=torch.float32)
    y = torch.tensor(digits.target[:600])
    model = linear(10)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.02)
    for _ in range(150):
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(model(x[:400]), y[:400]).backward()
        optimizer.step()
    return model, x[400:], y[400:]


def entropy_bits(x):
    return entropy.measure(to_bytes(x), config=entropy.Config(alphabet="grey", estimator="plug_in"))


def test_it_fools_the_network_with_images_of_less_entropy_than_pgd(trained):
    model, x, y = trained
    plain, plain_success = pgd.perturb(
        model, x, y, config=pgd.Config(**BALL), generator=generator()
    )
    slow = BALL | {"step_size": 0.005, "steps": 160}
    config = detector_aware_pgd.Config(**slow, complexity=ENTROPY, confidence=2.0)
    simple, success = detector_aware_pgd.perturb(model, x, y, config=config, generator=generator())
    both = success & plain_success
    assert both.sum() > 100
    gain = entropy_bits(plain[both]) - entropy_bits(simple[both])
    assert gain.mean() > 0.1 and (gain > 0).double().mean() > 0.7


def test_a_margin_that_is_never_won_leads_to_the_known_optimum_of_a_linear_model():
    """Every pixel moves by epsilon along the sign of the weights."""
    torch.manual_seed(0)
    model = linear(2)
    x = 0.3 + 0.4 * torch.rand(200, 1, 8, 8)  # no pixel meets the border of [0, 1]
    y = model(x).argmax(1)
    config = detector_aware_pgd.Config(**BALL, complexity=ENTROPY, confidence=1e6)
    x_adv, success = detector_aware_pgd.perturb(model, x, y, config=config, generator=generator())
    w = model.fc.weight[1] - model.fc.weight[0]
    towards = torch.where(y == 0, 1, -1).view(-1, 1, 1, 1) * w.sign().view(1, 1, 8, 8)
    assert success.sum() > 100
    torch.testing.assert_close(x_adv[success], (x + 0.2 * towards)[success])


def test_once_the_margin_is_won_only_the_complexity_counts(trained):
    model, x, _ = trained
    wrong = (model(x).argmax(1) + 1) % 10
    config = detector_aware_pgd.Config(**BALL, complexity=ENTROPY, confidence=0.0)
    bits = entropy.surrogate(x, config=entropy.Config(alphabet="grey", estimator="plug_in"))
    logits, found = detector_aware_pgd.objective(model, x, wrong, config=config)
    torch.testing.assert_close(logits, model(x))
    torch.testing.assert_close(found, -bits.sum())


def test_the_surrogate_of_values_far_apart_is_their_entropy_and_that_of_the_smear():
    """At a distance, the smears of two levels do not meet, so that their entropies add up."""
    far = torch.tensor([40.0, 40.0, 40.0, 120.0]).view(1, 1, 2, 2).double() / 255
    config = entropy.Config(alphabet="byte", estimator="plug_in")
    one = entropy.surrogate(torch.full_like(far, 40 / 255), config=config)
    found = entropy.surrogate(far, config=config)
    split = 0.25 * 2 + 0.75 * math.log2(4 / 3)
    torch.testing.assert_close(found - one, torch.tensor([split]).double())
    assert one.item() == pytest.approx(
        math.log2(entropy.BANDWIDTH * math.sqrt(2 * math.pi * math.e)), abs=1e-3
    )


def test_the_gradient_of_the_surrogate_is_that_of_finite_differences():
    x = torch.rand(2, 1, 4, 4, generator=generator(), dtype=torch.float64).requires_grad_()
    config = entropy.Config(alphabet="byte", estimator="plug_in")
    assert torch.autograd.gradcheck(
        lambda x: entropy.surrogate(x, config=config), x, eps=1e-7, atol=1e-3
    )


def test_the_entropy_of_triples_has_no_surrogate():
    config = entropy.Config(alphabet="rgb", estimator="plug_in")
    with pytest.raises(ValueError, match="no surrogate"):
        entropy.surrogate(torch.rand(1, 3, 4, 4), config=config)


def test_a_complexity_without_surrogate_is_refused_before_any_attack():
    with pytest.raises(ValidationError, match="png_size has no `surrogate`"):
        detector_aware_pgd.Config(**BALL, complexity={"method": "png_size"}, confidence=1.0)
