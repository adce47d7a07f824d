import math

import pytest
import torch
from scipy.special import lambertw
from torch import nn
from torch.nn import functional as F

from robustinfo.attacks import pgd
from robustinfo.core import registry
from robustinfo.defences import adversarial, standard

LOSS = {"method": "cross_entropy"}

ATTACK = {"epsilon": 0.1, "step_size": 0.03, "steps": 4}


def seeded():
    return torch.Generator().manual_seed(0)


def terms(p, clean_share):
    config = adversarial.Config(loss=LOSS, clean_share=clean_share, attack=ATTACK)
    return adversarial.loss_terms(p.model, p.x, p.y, config=config, generator=seeded())


def test_all_clean_is_plain_training(four_classes):
    p = four_classes
    plain = standard.loss_terms(
        p.model, p.x, p.y, config=standard.Config(loss=LOSS), generator=seeded()
    )["clean"]
    found = terms(p, 1.0)
    assert found["clean"].equal(plain) and found["adversarial"] == 0
    assert plain.equal(F.cross_entropy(p.model(p.x), p.y))


def test_none_clean_is_the_cross_entropy_on_the_adversaries_alone(four_classes):
    p = four_classes
    found = terms(p, 0.0)
    x_adv = pgd.craft(p.model, p.x, p.y, config=pgd.Config(**ATTACK), generator=seeded())
    assert list(found) == ["adversarial"]
    assert found["adversarial"].equal(F.cross_entropy(p.model(x_adv), p.y))
    assert found["adversarial"] > F.cross_entropy(p.model(p.x), p.y)


@pytest.mark.parametrize("share", [0.25, 0.5])
def test_a_mix_weighs_its_ends(four_classes, share):
    mixed, clean, hard = (terms(four_classes, s) for s in (share, 1.0, 0.0))
    expected = share * clean["clean"] + (1 - share) * hard["adversarial"]
    torch.testing.assert_close(sum(mixed.values()), expected)


def test_adversaries_are_made_in_eval_mode_and_trained_on_in_training_mode(generator):
    modes = []
    model = nn.Sequential(nn.BatchNorm2d(1), nn.Flatten(), nn.Linear(16, 3)).train()
    model[0].register_forward_hook(lambda layer, *_: modes.append(layer.training))
    x, y = torch.rand(8, 1, 4, 4), torch.arange(8) % 3
    found = adversarial.loss_terms(
        model, x, y, config=adversarial.Config(loss=LOSS, attack=ATTACK), generator=generator
    )
    assert modes[-1] and not any(modes[:-1]) and len(modes) > ATTACK["steps"]
    assert model[0].num_batches_tracked == 1
    sum(found.values()).backward()
    assert all(weight.grad.any() for weight in model[2].parameters())


ENTM = {"method": "entropy_maximised"}
UNSURE = [ENTM, {"method": "label_smoothed", "smoothing": 0.7}]


def adversary(p, loss, seed=0, **attack):
    config = adversarial.Config(loss=loss, attack=ATTACK | attack)
    return adversarial.adversaries(
        p.model, p.x, p.y, config=config, generator=torch.Generator().manual_seed(seed)
    )


@pytest.mark.parametrize("loss", [LOSS, *UNSURE], ids=str)
@pytest.mark.parametrize("objective", ["loss", "cross_entropy", "margin"])
def test_the_cross_entropy_and_an_objective_that_is_named_are_pgds_own(
    loss, objective, four_classes
):
    p = four_classes
    known = "cross_entropy" if objective == "loss" else objective
    expected = pgd.craft(
        p.model, p.x, p.y, config=pgd.Config(**ATTACK, objective=known), generator=seeded()
    )
    found = adversary(p, loss, objective=objective)
    assert found.equal(expected) == (loss == LOSS or objective != "loss")


@pytest.mark.parametrize("loss", UNSURE, ids=str)
def test_any_other_loss_is_climbed_itself_unless_an_objective_is_named(loss, four_classes):
    """By a twin that takes the same steps from the same start, image by image."""
    p, get_loss = four_classes, registry.get("losses", loss)
    found, start = adversary(p, loss), adversary(p, loss, steps=1, step_size=0.0)
    for x, x_adv, y, end in zip(p.x, start, p.y, found, strict=True):
        for _ in range(4):
            one = x_adv[None].requires_grad_()
            (slope,) = torch.autograd.grad(get_loss(p.model(one), y[None]), one)
            moved = x_adv.detach() + 0.03 * slope[0].sign()
            x_adv = (x + (moved - x).clamp(-0.1, 0.1)).clamp(0, 1)
        torch.testing.assert_close(end, x_adv, rtol=0, atol=1e-6)


def test_of_two_classes_it_moves_away_from_the_predictions_that_cost_least(two_classes):
    """To the far corner, which fools no network: the loss grows towards certainty, too."""
    p, best = two_classes, 1 / (1 + 2 * lambertw(math.exp(-1 / 2) / 2).real)  # see EntM's file
    surer = p.model(p.x).softmax(1).amax(1) > best
    assert surer.any() and not surer.all()
    gap = (p.weight[0] - p.weight[1]).view(1, 4, 4) * (1 - 2 * p.y)[:, None, None, None]
    way = torch.where(surer[:, None, None, None], gap, -gap).sign()
    found = adversary(p, ENTM, random_start=False)
    torch.testing.assert_close(found, p.x + 0.1 * way)


@pytest.mark.parametrize("loss", UNSURE, ids=str)
def test_its_terms_are_that_loss_of_both_kinds_of_images(loss, four_classes):
    p, get_loss = four_classes, registry.get("losses", loss)
    config = adversarial.Config(loss=loss, clean_share=0.25, attack=ATTACK)
    found = adversarial.loss_terms(p.model, p.x, p.y, config=config, generator=seeded())
    assert found["clean"].equal(0.25 * get_loss(p.model(p.x), p.y))
    assert found["adversarial"].equal(0.75 * get_loss(p.model(adversary(p, loss)), p.y))


def test_a_reward_of_nothing_leaves_the_adversary_of_the_cross_entropy(four_classes):
    found = adversary(four_classes, ENTM | {"weight": 0.0})
    torch.testing.assert_close(found, adversary(four_classes, LOSS))


@pytest.mark.parametrize("setting", [{"precision": "float64"}, {"temperature": 10.0}])
def test_what_would_not_act_while_the_loss_itself_is_climbed_is_refused(setting):
    with pytest.raises(ValueError, match=next(iter(setting))):
        adversarial.Config(loss=ENTM, attack=ATTACK | setting)
