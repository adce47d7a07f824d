import copy
import math

import pytest
import torch
from torch.nn import functional as F

from robustinfo.attacks import pgd
from robustinfo.defences import mart
from robustinfo.maths.divergence import kl_of_softmax
from robustinfo.maths.margin import margin

ATTACK = {"epsilon": 0.1, "step_size": 0.03, "steps": 4}


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def terms(model, x, y, seed=0, **numbers):
    config = mart.Config(attack=ATTACK, **numbers)
    return mart.loss_terms(model, x, y, config=config, generator=seeded(seed))


def adversary(p, seed=0):
    return pgd.craft(p.model, p.x, p.y, config=pgd.Config(**ATTACK), generator=seeded(seed))


def slow_twin(logits, attacked, y, weight):
    """The objective as printed, image by image, in float64."""
    p, q = (t.double().softmax(1) for t in (logits, attacked))
    boosted = divergence = 0.0
    for one, other, label in zip(p, q, y.tolist(), strict=True):
        wrong = max(other[k] for k in range(len(other)) if k != label)
        boosted = boosted - other[label].log() - (1 - wrong).log()
        kl = sum(a * (a / b).log() for a, b in zip(one, other, strict=True))
        divergence = divergence + kl * (1 - one[label])
    return boosted / len(y), weight * divergence / len(y)


def test_its_terms_are_those_of_the_slow_twin(four_classes):
    p = four_classes
    p.y[::3] = (p.y[::3] + 1) % 4  # the misclassified ones are what it is about
    found = terms(p.model, p.x, p.y, weight=2.0)
    expected = slow_twin(p.model(p.x), p.model(adversary(p)), p.y, 2.0)
    assert list(found) == ["adversarial", "divergence"]
    for name, value in zip(found, expected, strict=True):
        torch.testing.assert_close(found[name].double(), value, rtol=1e-5, atol=1e-7)


def test_its_gradient_is_the_slow_twins_and_none_flows_through_the_adversary(four_classes):
    p = four_classes
    x_adv, twin = adversary(p), copy.deepcopy(p.model)
    sum(terms(p.model, p.x, p.y).values()).backward()
    sum(slow_twin(twin(p.x), twin(x_adv), p.y, 5.0)).backward()
    for one, other in zip(p.model.parameters(), twin.parameters(), strict=True):
        torch.testing.assert_close(one.grad, other.grad, rtol=1e-4, atol=1e-6)


def test_the_weight_is_the_authors_unless_it_is_given(four_classes):
    p = four_classes
    default, one = terms(p.model, p.x, p.y), terms(p.model, p.x, p.y, weight=1.0)
    torch.testing.assert_close(default["divergence"], 5 * one["divergence"])
    assert one["divergence"] > 1e-3


def test_an_image_that_is_sure_and_right_pays_nothing_however_far_it_diverges(four_classes):
    p = four_classes
    p.model.register_forward_hook(lambda *passed: 100 * passed[-1])
    sure = margin(p.model(p.x), p.y) > 25
    p.x, p.y = p.x[sure], p.y[sure]
    divergence = kl_of_softmax(p.model(p.x), p.model(adversary(p)))
    assert len(p.y) > 16 and (divergence > 1).float().mean() > 0.5
    assert terms(p.model, p.x, p.y)["divergence"] < 1e-6
    p.y = (p.y + 1) % 4  # sure and wrong: pays all of it
    expected = 5 * kl_of_softmax(p.model(p.x), p.model(adversary(p))).mean()
    torch.testing.assert_close(terms(p.model, p.x, p.y)["divergence"], expected)


@pytest.mark.parametrize(
    "p, y, nats",
    [
        ([0.5, 0.3, 0.2], 0, -math.log(0.5) - math.log(0.7)),
        ([0.5, 0.3, 0.2], 2, -math.log(0.2) - math.log(0.5)),
        ([0.25, 0.75], 0, -2 * math.log(0.25)),
        ([0.25, 0.75], 1, -2 * math.log(0.75)),
    ],
)
def test_the_boosted_cross_entropy_is_the_one_of_hand_computed_numbers(p, y, nats):
    logits = torch.tensor([p]).log() + 4
    found = mart.boosted_cross_entropy(logits, torch.tensor([y]))
    assert found.item() == pytest.approx(nats, rel=1e-6)


def test_the_boosted_cross_entropy_is_exact_where_a_wrong_class_is_all_but_certain():
    """In float32 1 - p is 0 there; the authors' 1.0001 - p would say 9.2."""
    logits = torch.tensor([[0.0, 40.0, 1.0]]).requires_grad_()
    found = mart.boosted_cross_entropy(logits, torch.tensor([0]))
    found.backward()
    assert logits.softmax(1)[0, 1] == 1
    assert found.item() == pytest.approx(40 + 40 - math.log(1 + math.e), rel=1e-6)
    share = 1 / (1 + math.e)
    torch.testing.assert_close(logits.grad, torch.tensor([[-1 - share, 2.0, share - 1]]))


def test_it_attacks_the_cross_entropy_by_the_pgd_that_is_given(four_classes):
    p = four_classes
    found = terms(p.model, p.x, p.y, weight=0.0, seed=3)
    attacked = p.model(adversary(p, seed=3))
    assert found["adversarial"].equal(mart.boosted_cross_entropy(attacked, p.y))
    assert found["adversarial"] > F.cross_entropy(p.model(p.x), p.y)
    assert not terms(p.model, p.x, p.y, seed=4)["adversarial"].equal(found["adversarial"])
