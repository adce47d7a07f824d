import copy

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from robustinfo.core import registry
from robustinfo.defences import standard, trades

LOSS = {"method": "cross_entropy"}
ATTACK = {"epsilon": 0.1, "step_size": 0.03, "steps": 4}


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def craft(p, seed=0, **numbers):
    config = trades.Config(loss=LOSS, attack=ATTACK | numbers)
    return trades.adversaries(p.model, p.x, p.y, config=config, generator=seeded(seed))


def terms(model, x, y, seed=0, **numbers):
    config = trades.Config(loss=LOSS, attack=ATTACK, **numbers)
    return trades.loss_terms(model, x, y, config=config, generator=seeded(seed))


def slow_twin(logits, attacked, y, weight):
    """The objective as printed, image by image, in float64."""
    p, q = (t.detach().double().softmax(1) for t in (logits, attacked))
    clean = divergence = 0.0
    for one, other, label in zip(p, q, y, strict=True):
        clean -= one[label].log()
        divergence += sum(a * (a / b).log() for a, b in zip(one, other, strict=True))
    return clean / len(y), weight * divergence / len(y)


def test_its_terms_are_those_of_the_slow_twin(four_classes):
    p = four_classes
    found = terms(p.model, p.x, p.y, weight=3.0)
    expected = slow_twin(p.model(p.x), p.model(craft(p)), p.y, 3.0)
    assert list(found) == ["clean", "divergence"]
    for name, value in zip(found, expected, strict=True):
        torch.testing.assert_close(found[name].double(), value, rtol=1e-5, atol=1e-7)


def test_the_weight_is_the_authors_unless_it_is_given(four_classes):
    p = four_classes
    default, one = terms(p.model, p.x, p.y), terms(p.model, p.x, p.y, weight=1.0)
    torch.testing.assert_close(default["divergence"], 6 * one["divergence"])
    assert one["divergence"] > 0.01


def test_without_weight_it_is_plain_training_and_attacks_nothing(four_classes):
    p, generator = four_classes, seeded()
    config = trades.Config(loss=LOSS, weight=0.0, attack=ATTACK)
    found = trades.loss_terms(p.model, p.x, p.y, config=config, generator=generator)
    plain = standard.loss_terms(
        p.model, p.x, p.y, config=standard.Config(loss=LOSS), generator=generator
    )
    assert list(found) == ["clean"] and found["clean"].equal(plain["clean"])
    assert generator.get_state().equal(seeded().get_state())


def test_on_a_linear_model_of_two_classes_the_adversary_ends_in_a_corner(two_classes):
    """The divergence grows with the distance of the logits' gap: either corner is a maximum."""
    p = two_classes
    x_adv = craft(p, steps=40)
    gap = p.weight[0] - p.weight[1]
    moved = ((x_adv - p.x).flatten(1) / 0.1).round(decimals=4)
    assert (moved.abs() == 1).all()
    assert ((moved == gap.sign()).all(1) | (moved == -gap.sign()).all(1)).all()


def test_labels_decide_nothing_about_the_adversary(four_classes):
    p = four_classes
    before = craft(p)
    p.y = (p.y + 1) % 4
    assert craft(p).equal(before)


def test_it_starts_at_x_and_a_thousandth_of_standard_noise(four_classes):
    p, asked = four_classes, []
    p.model.register_forward_pre_hook(lambda _, inputs: asked.append(inputs[0].detach().clone()))
    craft(p, steps=1)
    clean, start = asked[:2]
    assert clean.equal(p.x)
    noise = (start - p.x).flatten()  # 1,024 draws
    assert noise.std().item() == pytest.approx(0.001, rel=0.1)
    assert noise.mean().abs().item() < 2e-4
    assert noise.abs().max() > 0.0025  # which no uniform noise of this deviation reaches


@pytest.mark.parametrize("norm, order", [("linf", torch.inf), ("l2", 2)])
@pytest.mark.parametrize("epsilon", [0.1, 0.0005])
def test_it_ends_in_the_ball_and_in_the_box(norm, order, epsilon, four_classes):
    p = four_classes
    p.x = (4 * p.x - 1.5).clamp(0, 1)  # some values at the edge
    x_adv = craft(p, norm=norm, epsilon=epsilon)
    sizes = (x_adv - p.x).flatten(1).norm(order, dim=1)
    assert (sizes <= epsilon * (1 + 1e-4)).all() and (sizes > 0.9 * epsilon).any()
    assert x_adv.min() >= 0 and x_adv.max() <= 1 and (p.x == 0).any()


def test_the_generator_alone_decides_and_the_global_one_is_left_alone(four_classes):
    torch.manual_seed(1)
    first = craft(four_classes, seed=5)
    torch.manual_seed(2)
    state = torch.get_rng_state()
    assert craft(four_classes, seed=5).equal(first)
    assert torch.get_rng_state().equal(state)
    assert not craft(four_classes, seed=6, steps=1, step_size=0.0).equal(
        craft(four_classes, seed=5, steps=1, step_size=0.0)
    )


def test_no_gradient_flows_through_the_adversary(four_classes):
    p = four_classes
    x_adv = craft(p)
    assert not x_adv.requires_grad and x_adv.grad_fn is None
    twin = copy.deepcopy(p.model)
    sum(terms(p.model, p.x, p.y).values()).backward()
    logits, attacked = twin(p.x).log_softmax(1), twin(x_adv).log_softmax(1)
    divergence = (logits.exp() * (logits - attacked)).sum(1).mean()
    (F.nll_loss(logits, p.y) + 6 * divergence).backward()
    for one, other in zip(p.model.parameters(), twin.parameters(), strict=True):
        torch.testing.assert_close(one.grad, other.grad, rtol=1e-4, atol=1e-6)


def test_both_predictions_of_the_divergence_are_trained():
    """As in the authors' code, the clean one is no constant."""
    model = nn.Sequential(nn.Flatten(), nn.Linear(16, 3))
    x, y = torch.rand(8, 1, 4, 4), torch.arange(8) % 3
    found = torch.autograd.grad(terms(model, x, y)["divergence"], model[1].bias)[0]
    x_adv = trades.adversaries(
        model, x, y, config=trades.Config(loss=LOSS, attack=ATTACK), generator=seeded()
    )
    p, log_q = model(x).softmax(1).detach(), model(x_adv).log_softmax(1)
    half = torch.autograd.grad(-6 * (p * log_q).sum(1).mean(), model[1].bias)[0]
    assert not torch.allclose(found, half, rtol=0.1)


def test_another_loss_takes_the_place_of_the_clean_term_and_of_nothing_else(four_classes):
    p, loss = four_classes, {"method": "entropy_maximised"}
    config = trades.Config(loss=loss, weight=3.0, attack=ATTACK)
    found = trades.loss_terms(p.model, p.x, p.y, config=config, generator=seeded())
    assert found["clean"].equal(registry.get("losses", loss)(p.model(p.x), p.y))
    assert found["clean"] < 0
    assert found["divergence"].equal(terms(p.model, p.x, p.y, weight=3.0)["divergence"])
