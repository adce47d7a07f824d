import math

import pytest
import torch
from pydantic import ValidationError

from robustinfo.maths.hsic import nhsic as of_projections
from robustinfo.maths.hsic import projection
from robustinfo.maths.kernels import gaussian, same_label
from robustinfo.measures import hsic, nhsic
from tests.by_quantity import by_quantity

BIASED, UNBIASED = (hsic.Config(estimator=name) for name in ("biased", "unbiased"))


def label_and_noise(n, d, weight, seed=0):
    """(n, d) activations of which the first hold the label with this weight; the labels."""
    generator = torch.Generator().manual_seed(seed)
    y = torch.arange(n) * 5 // n  # sorted, as some data sets are
    t = torch.randn(n, d, generator=generator)
    t[:, :5] += weight * torch.nn.functional.one_hot(y, 5)
    return t, y


def values(measure, t, y, config, **also):
    found = by_quantity(measure.estimate(t, y, config=config, **also))
    return {name: one.value for name, one in found.items()}


def test_nhsic_is_the_mean_over_batches_that_are_spread_over_the_set():
    t, y = label_and_noise(95, 20, 1.0)
    found = values(nhsic, t, y, nhsic.Config(batch_size=30))
    expected = [
        of_projections(projection(gaussian(t[at], 5.0)), projection(same_label(y[at])))
        for at in (torch.arange(first, 90, 3) for first in range(3))
    ]
    assert found["nhsic_label"] == pytest.approx(torch.stack(expected).mean().item(), rel=1e-6)


def test_a_copy_of_the_label_has_the_number_of_classes_less_one():
    y = torch.arange(300) % 4
    t = 100 * torch.nn.functional.one_hot(y).float()
    assert values(nhsic, t, y, nhsic.Config())["nhsic_label"] == pytest.approx(3, abs=1e-2)


def test_wide_noise_scores_high_and_no_more_than_chance():
    t, y = label_and_noise(1000, 2000, 0.0)
    found = values(nhsic, t, y, nhsic.Config())
    assert found["nhsic_label"] > 3.5
    assert found["nhsic_label"] == pytest.approx(found["nhsic_label_chance"], rel=0.01)


@pytest.mark.parametrize("measure, config", [(nhsic, nhsic.Config()), (hsic, BIASED)])
def test_what_knows_the_label_is_above_chance(measure, config):
    t, y = label_and_noise(1000, 20, 2.0)
    found = values(measure, t, y, config)
    name = next(iter(found))
    assert found[name] > 1.2 * found[f"{name}_chance"]


def test_noise_is_at_chance_when_biased_and_at_zero_when_not():
    found = {"biased": [], "unbiased": [], "chance": []}
    for seed in range(30):
        t, y = label_and_noise(200, 5, 0.0, seed)
        biased = values(hsic, t, y, BIASED)
        found["biased"].append(biased["hsic_label"])
        found["chance"].append(biased["hsic_label_chance"])
        found["unbiased"].append(values(hsic, t, y, UNBIASED)["hsic_label"])
    biased, unbiased, chance = (torch.tensor(one) for one in found.values())
    error = unbiased.std() / 30**0.5
    assert abs(unbiased.mean()) < 3 * error
    assert abs((biased - chance).mean()) < 3 * error and chance.min() > 5 * error


@pytest.mark.parametrize("measure, config", [(nhsic, nhsic.Config()), (hsic, BIASED)])
def test_nhsic_and_biased_hsic_of_noise_depend_on_the_batch(measure, config):
    t, y = label_and_noise(1000, 20, 0.0)
    small = type(config)(**config.model_dump() | {"batch_size": 50})
    one, other = (next(iter(values(measure, t, y, c).values())) for c in (config, small))
    assert abs(one / other - 1) > 0.1


@pytest.mark.parametrize("measure", [hsic, nhsic])
def test_inputs_have_a_value_of_their_own_where_they_are_given(measure):
    t, y = label_and_noise(200, 30, 1.0)
    x = t.view(200, 1, 5, 6)
    config, name = measure.Config(), measure.__name__.rpartition(".")[2] + "_input"
    plain, found = values(measure, t, y, config), values(measure, t, y, config, x=x)
    assert plain.items() < found.items() and name in found
    noise = torch.rand(x.shape, generator=torch.Generator().manual_seed(1))
    assert found[name] > values(measure, t, y, config, x=noise)[name]


@pytest.mark.parametrize("measure, config, same", [(hsic, BIASED, True), (nhsic, None, False)])
def test_hsic_by_the_median_does_not_see_the_scale_and_nhsic_does(measure, config, same):
    t, y = label_and_noise(200, 10, 1.0)
    config = config or measure.Config()
    one, other = (next(iter(values(measure, u, y, config).values())) for u in (t, 7 * t + 3))
    assert (other == pytest.approx(one, rel=1e-4)) == same


@pytest.mark.parametrize("measure", [hsic, nhsic])
def test_a_constant_layer_has_nothing_and_one_that_is_not_finite_has_nan(measure):
    t, y = label_and_noise(200, 10, 1.0)
    for value in values(measure, torch.full_like(t, 2.5), y, measure.Config()).values():
        assert value == pytest.approx(0, abs=1e-12)
    t[3, 4] = torch.inf
    assert all(math.isnan(value) for value in values(measure, t, y, measure.Config()).values())


@pytest.mark.parametrize("measure", [hsic, nhsic])
def test_fewer_samples_than_a_batch_are_refused(measure):
    t, y = label_and_noise(99, 10, 1.0)
    with pytest.raises(ValueError, match="99 samples are less than a batch of 100"):
        measure.estimate(t, y, config=measure.Config())


def test_a_batch_must_have_as_many_samples_as_its_formula_needs():
    with pytest.raises(ValidationError, match="batch_size"):
        hsic.Config(batch_size=3)
    with pytest.raises(ValidationError, match="batch_size"):
        nhsic.Config(batch_size=1)
