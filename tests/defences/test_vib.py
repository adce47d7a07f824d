from functools import partial

import pytest
import torch
from torch.distributions import Normal, kl_divergence
from torch.nn import functional as F

from robustinfo.attacks import adaptive
from robustinfo.core.errors import UserError
from robustinfo.defences import vib
from robustinfo.models import bottleneck, lenet5
from robustinfo.training import loop

LOSS = {"method": "cross_entropy"}


@pytest.fixture
def model():
    torch.manual_seed(0)
    config = bottleneck.Config(network={"method": "lenet5"}, size=8)
    return bottleneck.build((1, 28, 28), 10, config=config)


@pytest.fixture
def data(generator):
    return torch.rand(20, 1, 28, 28, generator=generator), torch.arange(20) % 10


def terms(model, data, **settings):
    config = vib.Config(loss=LOSS, **settings)
    return vib.loss_terms(model, *data, config=config, generator=torch.Generator())


def rates(model, x):
    """Of each image, by torch's distributions."""
    _, seen = model.observe(x, ("code",))
    mean, deviation = bottleneck.gaussian(seen["code"])
    return kl_divergence(Normal(mean, deviation), Normal(0.0, 1.0)).sum(1)


def test_its_terms_are_the_loss_of_one_draw_and_the_weighted_divergence_from_the_prior(model, data):
    x, y = data
    torch.manual_seed(7)
    found = terms(model, data, weight=0.5)
    torch.manual_seed(7)
    assert list(found) == ["clean", "rate"]
    assert found["clean"].equal(F.cross_entropy(model(x), y))
    torch.testing.assert_close(found["rate"], 0.5 * rates(model, x).mean())
    assert found["rate"] > 1


def test_the_weight_is_the_authors_unless_it_is_given(model, data):
    torch.testing.assert_close(terms(model, data)["rate"] * 1000, rates(model, data[0]).mean())


def test_a_code_that_says_nothing_costs_nothing(model, data):
    """Mean 0 and deviation 1 for every image: log(e - 1) is where softplus is 1."""
    torch.nn.init.zeros_(model.code.weight)
    model.code.bias.data[:8] = 0
    model.code.bias.data[8:] = 5 + torch.tensor(torch.e - 1).log()
    assert terms(model, data, weight=1.0)["rate"].abs() < 1e-5


def test_the_encoder_learns_from_both_terms_and_the_decoder_from_the_loss_alone(model, data):
    found = terms(model, data, weight=1.0)
    found["rate"].backward(retain_graph=True)
    assert model.conv1.weight.grad.any() and model.decode.weight.grad is None
    before = model.conv1.weight.grad.clone()
    found["clean"].backward()
    assert model.decode.weight.grad.any() and not model.conv1.weight.grad.equal(before)


def test_the_weight_drives_the_rate_down_in_training(data):
    images = loop.Images((data[0] * 255).byte(), data[1])
    config = loop.Config(epochs=10, batch_size=10, learning_rate=0.01, snapshot_every=10)
    ends = []
    for weight in (0.0, 1.0):
        torch.manual_seed(0)
        settings = bottleneck.Config(network={"method": "lenet5"}, size=8)
        model = bottleneck.build((1, 28, 28), 10, config=settings)
        bound = vib.Config(loss=LOSS, weight=weight)

        def loss_terms(model, x, y, *, generator, config=bound):
            return vib.loss_terms(model, x, y, config=config, generator=generator)

        own = torch.Generator().manual_seed(0)
        for _ in loop.train(model, images, images, loss_terms, config=config, generator=own):
            pass
        ends.append(rates(model.eval(), data[0]).mean().item())
    assert ends[1] < 0.5 * ends[0]


def test_an_attacker_climbs_the_rate_of_every_image(model, data):
    x, y = data
    model.eval()
    config = vib.Config(loss=LOSS, weight=0.25)
    logits, term = vib.attack_term(model, x, y, config=config, state={})
    assert logits.equal(model(x))
    torch.testing.assert_close(term, 0.25 * rates(model, x).sum())


def test_attacks_break_it_as_they_break_any_function(model, data, generator):
    model.eval()
    x = data[0]
    model.code.weight.data[:8] *= 100  # several classes win, and the noise is small beside that
    _, seen = model.observe(x, ("code",))
    model.code.bias.data[:8] -= seen["code"][:, :8].detach().mean(0)
    y = model(x).argmax(1)
    assert len(y.unique()) > 1

    term = partial(vib.attack_term, model, config=vib.Config(loss=LOSS), state={})
    config = adaptive.Config(epsilon=0.3, step_size=0.1, steps=10, weights=[1.0])
    x_adv, success = adaptive.perturb(model, x, y, config=config, generator=generator, term=term)
    assert success.any() and (model(x_adv).argmax(1) != y).equal(success)


def test_a_model_without_a_code_is_refused_with_the_model_to_write(data):
    plain = lenet5.build((1, 28, 28), 10, config=lenet5.Config())
    with pytest.raises(UserError, match=r"Gaussian code; write \{method: bottleneck"):
        terms(plain, data)
