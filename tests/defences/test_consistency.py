import torch
from torch.nn import functional as F

from robustinfo.attacks import pgd
from robustinfo.defences import consistency

ATTACK = {"epsilon": 0.1, "step_size": 0.03, "steps": 4}
LOSS = {"method": "cross_entropy"}


def terms(p, **numbers):
    config = consistency.Config(loss=LOSS, attack=ATTACK, **numbers)
    generator = torch.Generator().manual_seed(0)
    return consistency.loss_terms(p.model, p.x, p.y, config=config, generator=generator)


def test_the_label_is_learned_from_the_adversary_and_the_divergence_is_the_batchs_mean(
    four_classes,
):
    """As torch has them: kl_div takes log q, p and gives KL(p || q)."""
    p, generator = four_classes, torch.Generator().manual_seed(0)
    x_adv = pgd.craft(p.model, p.x, p.y, config=pgd.Config(**ATTACK), generator=generator)
    clean, attacked = p.model(p.x), p.model(x_adv)
    divergence = F.kl_div(attacked.log_softmax(1), clean.softmax(1), reduction="batchmean")
    found = terms(p)
    assert list(found) == ["adversarial", "divergence"] and divergence > 1e-4
    assert found["adversarial"].equal(F.cross_entropy(attacked, p.y))
    torch.testing.assert_close(found["divergence"], 0.5 * divergence)


def test_its_weight_is_that_of_the_divergence_alone(four_classes):
    one, other = terms(four_classes), terms(four_classes, weight=2.0)
    assert one["adversarial"].equal(other["adversarial"])
    torch.testing.assert_close(other["divergence"], 4 * one["divergence"])
