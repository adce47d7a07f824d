"""An attack on a term of the defence's own, on problems whose optimum is known."""

import torch
from torch.nn import functional as F

from robustinfo.attacks import adaptive, pgd

SETTINGS = {"epsilon": 0.02, "step_size": 0.01, "steps": 5}


def perturb(p, term, term_weight, generator, **settings):
    config = adaptive.Config(**SETTINGS | settings, term_weight=term_weight)
    return adaptive.perturb(p.model, p.x, p.y, config=config, generator=generator, term=term)


def test_without_a_term_it_is_pgd_bit_for_bit(four_classes):
    p = four_classes
    expected = pgd.perturb(
        p.model, p.x, p.y, config=pgd.Config(**SETTINGS), generator=torch.Generator().manual_seed(1)
    )
    found = perturb(p, None, 1.0, torch.Generator().manual_seed(1))
    assert all(a.equal(b) for a, b in zip(found, expected, strict=True))


def test_it_climbs_the_cross_entropy_and_the_terms_weight_reaches_it(two_classes, generator):
    """A term that pulls back from the loss, at first by less and then by more than it leads."""
    p = two_classes

    def term(x, y):
        logits = p.model(x)
        return logits, -2 * F.cross_entropy(logits, y, reduction="sum")

    _, honest = perturb(p, term, 0.0, generator)
    _, still = perturb(p, term, 0.4, generator)
    _, misled = perturb(p, term, 1.0, generator, random_start=False)
    reach = 0.02 * (p.weight[0] - p.weight[1]).norm(p=1)
    logits = p.model(p.x)
    margin = (logits[:, 0] - logits[:, 1]).abs()
    assert honest.equal(margin < reach) and honest.any() and not honest.all()
    assert still.equal(honest) and not misled.any()


def test_a_step_that_fools_counts_although_the_objective_leads_away_from_it(two_classes, generator):
    p = two_classes

    def there_and_back(x, y):
        logits = p.model(x)
        loss = F.cross_entropy(logits, y, reduction="sum")
        return logits, 0 * loss if next(steps) < 2 else -2 * loss

    for restarts in (1, 2):  # the second one only goes away
        steps = iter(range(100))
        settings = {"steps": 4, "restarts": restarts, "random_start": False}
        _, success = perturb(p, there_and_back, 1.0, generator, **settings)
        reach = 0.02 * (p.weight[0] - p.weight[1]).norm(p=1)
        assert success.equal((p.model(p.x)[:, 0] - p.model(p.x)[:, 1]).abs() < reach)
        assert success.any() and not success.all()
