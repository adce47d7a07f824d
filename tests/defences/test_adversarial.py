import pytest
import torch
from torch import nn
from torch.nn import functional as F

from robustinfo.attacks import pgd
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
