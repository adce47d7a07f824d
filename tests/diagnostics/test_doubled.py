import pytest
import torch

from robustinfo import batches
from robustinfo.attacks import pgd
from robustinfo.diagnostics import doubled
from robustinfo.maths.mcnemar import mcnemar
from tests.diagnostics.after import After


def found(model, p, generator, **settings):
    numbers = {"epsilon": 0.02, "step_size": 0.02, "steps": 4} | settings
    gain, p_value = doubled.diagnose(
        model, p.x, p.y, config=doubled.Config(**numbers), generator=generator
    )
    assert (gain.quantity, p_value.quantity) == ("doubled_gain", "doubled_p")
    return gain.value, p_value.value


@pytest.mark.parametrize("objective", ["cross_entropy", "margin"])
def test_what_reaches_the_corner_of_the_ball_gains_nothing(objective, two_classes, generator):
    assert found(two_classes.model, two_classes, generator, objective=objective) == (0, 1)


def test_steps_that_are_too_short_gain_what_twice_as_many_find(two_classes, generator):
    p, short = two_classes, {"epsilon": 0.05, "step_size": 0.05 / 30, "steps": 10}
    gain, p_value = found(p.model, p, generator, **short)

    def fallen(steps):
        config = pgd.Config(epsilon=0.05, step_size=0.05 / 30, steps=steps)
        seed = int(torch.randint(2**62, (), generator=torch.Generator().manual_seed(0)))
        own = torch.Generator().manual_seed(seed)
        return pgd.perturb(p.model, p.x, p.y, config=config, generator=own)[1]

    fewer, more = fallen(10), fallen(20)
    assert gain == (more & ~fewer).double().mean() > 0 and not (fewer & ~more).any()
    assert p_value == mcnemar(round(gain * 64), 0) < 0.05


def test_where_no_step_helps_more_restarts_do(two_classes, generator):
    p = two_classes
    masked = After(p.model, torch.Tensor.detach)
    gain, p_value = found(masked, p, generator, epsilon=0.2)
    assert gain > 0 and p_value == mcnemar(round(gain * 64), 0)
    before = (p.x.clone(), {name: value.clone() for name, value in p.model.state_dict().items()})
    many, _ = found(masked, p, generator, epsilon=0.2, restarts=64)
    assert many < gain  # most that chance can find is found
    assert p.x.equal(before[0])
    assert all(p.model.state_dict()[name].equal(value) for name, value in before[1].items())


def test_the_starts_are_the_same_in_every_batch(two_classes, generator, monkeypatch):
    """A batch draws as it did whatever the batches before it drew: nobody rises again."""
    p = two_classes
    monkeypatch.setattr(batches, "EVALUATION_BATCH", 8)
    masked, counts = After(p.model, torch.Tensor.detach), []
    monkeypatch.setattr(doubled, "mcnemar", lambda b, c: counts.append(c) or 1.0)
    found(masked, p, generator, epsilon=0.2)
    assert counts == [0]


def test_a_network_that_answers_at_random_gains_and_loses(two_classes, generator, monkeypatch):
    p, counts = two_classes, []
    noisy = After(p.model, lambda logits: logits + 3 * torch.randn_like(logits))
    monkeypatch.setattr(doubled, "mcnemar", lambda b, c: counts.append((b, c)) or 1.0)
    gain, _ = found(noisy, p, generator, steps=1)
    ((b, c),) = counts
    assert c > 0 and gain == (b - c) / 64
