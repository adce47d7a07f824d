import pytest
import torch
from torch import nn

from robustinfo.diagnostics import outputs
from robustinfo.diagnostics._kept import kept

NAMES = [
    "unfinite_share",
    "probabilities_share",
    "log_probabilities_share",
    "forwards_differ_share",
    "batch_dependent_share",
    "no_gradient_share",
    "weights_changed",
]


class Does(nn.Module):
    """Something with the images and the model."""

    def __init__(self, model, forward):
        super().__init__()
        self.model, self.does = model, forward

    def forward(self, x):
        return self.does(self.model, x)


class Training(nn.BatchNorm1d):
    """BatchNorm that no ``eval`` reaches."""

    def train(self, mode=True):
        return super().train(True)


def shares(model, p, generator):
    """All that is not 0."""
    found = outputs.diagnose(model, p.x, p.y, config=outputs.Config(), generator=generator)
    assert [one.quantity for one in found] == NAMES
    return {one.quantity: one.value for one in found if one.value}


def of_batch():
    torch.manual_seed(0)
    layers = nn.Flatten(), nn.Linear(16, 8), Training(8), nn.Linear(8, 4)
    return nn.Sequential(*layers)


def numpy(model, x):
    return torch.from_numpy(model(torch.from_numpy(x.numpy())).detach().numpy())


def changed(model, x):
    model[1].weight.data.mul_(1 - 1e-7)
    return model(x)


def half(model, x, value):
    odd = torch.arange(len(x)) % 2 == 1
    return torch.where(odd[:, None], value, model(x))


BROKEN = {
    "nothing": (lambda model, x: model(x), {}),
    "softmax": (lambda model, x: model(x).softmax(1), {"probabilities_share": 1}),
    "log-softmax": (lambda model, x: model(x).log_softmax(1), {"log_probabilities_share": 1}),
    "detached": (lambda model, x: model(x).detach(), {"no_gradient_share": 1}),
    "numpy": (numpy, {"no_gradient_share": 1}),
    "another input": (lambda model, x: model(x.detach()) + 0 * x.sum(), {}),
    "noise": (lambda model, x: model(x + 0.01 * torch.randn_like(x)), {"forwards_differ_share": 1}),
    "dropout": (lambda model, x: model(nn.functional.dropout(x)), {"forwards_differ_share": 1}),
    "mean of the batch": (
        lambda model, x: 10 * (x.flatten(1).mean(1) - x.mean())[:, None] + model(x),
        {"batch_dependent_share": pytest.approx(1, abs=0.3)},
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_broken_and_nothing_else_is_seen(name, four_classes, generator):
    forward, expected = BROKEN[name]
    assert shares(Does(four_classes.model, forward), four_classes, generator) == expected


def test_a_gradient_that_is_zero_is_none_that_is_missing(four_classes, generator):
    assert (
        shares(Does(four_classes.model, lambda model, x: model(x.round())), four_classes, generator)
        == {}
    )


@pytest.mark.parametrize("value", [torch.nan, torch.inf])
def test_half_of_the_images_have_no_finite_output(value, four_classes, generator):
    model = Does(four_classes.model, lambda model, x: half(model, x, torch.tensor(value)))
    found = shares(model, four_classes, generator)
    assert found["unfinite_share"] == 0.5
    assert "forwards_differ_share" not in found  # NaN again is the same again


def test_logits_that_sum_to_one_by_chance_are_counted_one_by_one(four_classes, generator):
    p, chance = four_classes, torch.tensor([0.5, 0.5, 0, 0])

    def one_of_them(model, x):
        seventh = (x == p.x[7]).flatten(1).all(1)
        return torch.where(seventh[:, None], chance, model(x))

    assert shares(Does(p.model, one_of_them), p, generator) == {"probabilities_share": 1 / 64}


def test_batchnorm_in_training_mode_is_seen_and_gets_its_statistics_back(four_classes, generator):
    model = of_batch()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    found = shares(model, four_classes, generator)
    assert found["batch_dependent_share"] > 0.9
    # Mean, variance and counter of the nine tensors.
    assert found["weights_changed"] == pytest.approx(3 / 9)
    assert all(value.equal(before[name]) for name, value in model.state_dict().items())
    assert model.eval()[2].training


def test_batchnorm_in_eval_mode_is_not(four_classes, generator):
    model = of_batch()
    model[2].__class__ = nn.BatchNorm1d
    assert shares(model.train(), four_classes, generator) == {}
    assert model[2].training  # and it is as it was


def test_a_weight_that_a_forward_changes_is_counted_and_changed_back(four_classes, generator):
    model = Does(four_classes.model, changed)
    before = four_classes.model[1].weight.clone()
    assert shares(model, four_classes, generator) == {"weights_changed": 0.5}
    assert four_classes.model[1].weight.equal(before)


def test_images_and_the_global_random_state_stay_what_they_were(four_classes, generator):
    p, before = four_classes, four_classes.x.clone()
    state = torch.get_rng_state()
    shares(Does(p.model, lambda model, x: model(x.add_(torch.rand_like(x)))), p, generator)
    assert p.x.equal(before) and torch.get_rng_state().equal(state)


def test_buffers_that_are_made_grow_or_are_exchanged_are_undone():
    class Counts(nn.Module):
        def __init__(self):
            super().__init__()
            self.register_buffer("grown", torch.zeros(2))
            self.register_buffer("nan", torch.tensor([torch.nan]))

    model = Counts()
    held = model.grown
    with kept(model):
        model.grown += 1
        model.grown = torch.ones(5)
        model.register_buffer("made", torch.ones(1))
    assert model.grown is held and model.grown.equal(torch.zeros(2))
    assert list(model.state_dict()) == ["grown", "nan"]
