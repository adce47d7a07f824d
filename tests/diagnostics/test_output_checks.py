import pytest
import torch
from torch import nn

from robustinfo.diagnostics import output_checks
from robustinfo.diagnostics._preserve_state import preserve_state

NAMES = [
    "nonfinite_fraction",
    "probabilities_fraction",
    "log_probabilities_fraction",
    "forwards_differ_fraction",
    "batch_dependent_fraction",
    "no_gradient_fraction",
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
    found = output_checks.diagnose(
        model, p.x, p.y, config=output_checks.Config(), generator=generator
    )
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
    "softmax": (lambda model, x: model(x).softmax(1), {"probabilities_fraction": 1}),
    "log-softmax": (lambda model, x: model(x).log_softmax(1), {"log_probabilities_fraction": 1}),
    "detached": (lambda model, x: model(x).detach(), {"no_gradient_fraction": 1}),
    "numpy": (numpy, {"no_gradient_fraction": 1}),
    "another input": (lambda model, x: model(x.detach()) + 0 * x.sum(), {}),
    "noise": (
        lambda model, x: model(x + 0.01 * torch.randn_like(x)),
        {"forwards_differ_fraction": 1},
    ),
    "dropout": (lambda model, x: model(nn.functional.dropout(x)), {"forwards_differ_fraction": 1}),
    "mean of the batch": (
        lambda model, x: 10 * (x.flatten(1).mean(1) - x.mean())[:, None] + model(x),
        {"batch_dependent_fraction": pytest.approx(1, abs=0.3)},
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
    assert found["nonfinite_fraction"] == 0.5
    assert "forwards_differ_fraction" not in found  # NaN again is the same again


def test_logits_that_sum_to_one_by_chance_are_counted_one_by_one(four_classes, generator):
    p, chance = four_classes, torch.tensor([0.5, 0.5, 0, 0])

    def one_of_them(model, x):
        seventh = (x == p.x[7]).flatten(1).all(1)
        return torch.where(seventh[:, None], chance, model(x))

    assert shares(Does(p.model, one_of_them), p, generator) == {"probabilities_fraction": 1 / 64}


def test_batchnorm_in_training_mode_is_seen_and_gets_its_statistics_back(four_classes, generator):
    model = of_batch()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    found = shares(model, four_classes, generator)
    # Mean, variance and counter change, and no answer ever reads them.
    assert found == {"batch_dependent_fraction": pytest.approx(1, abs=0.1)}
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


class Watches(nn.Module):
    """Answers as the network inside, and keeps a buffer of what it has been asked."""

    def __init__(self, model, start, note):
        super().__init__()
        self.model, self.note = model, note
        self.register_buffer("seen", start)

    def forward(self, x):
        logits = self.model(x)
        self.seen = self.note(self.seen, x, logits.detach())
        return logits


WATCHES = {
    "calls": (torch.zeros((), dtype=torch.long), lambda seen, x, logits: seen + 1),
    "calls in place": (torch.zeros(1, dtype=torch.uint8), lambda seen, x, logits: seen.add_(1)),
    "images, as a float": (torch.zeros(()), lambda seen, x, logits: seen + len(x)),
    "how often each class": (
        torch.zeros(4, dtype=torch.long),
        lambda seen, x, logits: seen + logits.argmax(1).bincount(minlength=4),
    ),
    "whether it was asked": (torch.tensor(False), lambda seen, x, logits: torch.tensor(True)),
    "a mean that moves": (torch.zeros(4), lambda seen, x, logits: 0.9 * seen + logits.mean(0)),
    "the last answers": (torch.zeros(0, 4), lambda seen, x, logits: logits),
}


@pytest.mark.parametrize("name", WATCHES)
def test_a_buffer_that_only_keeps_what_was_asked_is_no_change_of_weights(
    name, four_classes, generator
):
    start, note = WATCHES[name]
    model = Watches(four_classes.model, start.clone(), note)
    assert shares(model, four_classes, generator) == {}
    assert model.seen.equal(start)


def test_batchnorm_that_counts_its_batches_and_answers_by_fixed_statistics_does_not_change(
    four_classes, generator
):
    class Counts(nn.BatchNorm1d):
        def forward(self, t):
            self.num_batches_tracked.add_(1)
            return super().forward(t)

    model = of_batch()
    model[2] = Counts(8)
    assert shares(model, four_classes, generator) == {}


def test_a_counter_beside_noise_of_torch_is_none_either(four_classes, generator):
    def noisy(model, x):
        return model(x + 0.01 * torch.randn_like(x))

    model = Watches(Does(four_classes.model, noisy), *WATCHES["calls"])
    assert shares(model, four_classes, generator) == {"forwards_differ_fraction": 1}


@pytest.mark.parametrize("after", [100, 1000, 100_000])
def test_a_counter_that_decides_on_answers_later_is_seen_now(after, four_classes, generator):
    class Later(Watches):
        def forward(self, x):
            return super().forward(x) * (1 if self.seen < after else -1)

    model = Later(four_classes.model, *WATCHES["calls"])
    assert shares(model, four_classes, generator) == {"weights_changed": pytest.approx(1 / 3)}


def test_statistics_that_every_batch_renews_and_every_answer_reads_are_a_drift(
    four_classes, generator
):
    class Adapts(nn.BatchNorm1d):
        def forward(self, t):
            self.running_mean.lerp_(t.detach().mean(0), 1e-4)
            return nn.functional.batch_norm(t, self.running_mean, self.running_var)

    model = of_batch()
    model[2] = Adapts(8)
    assert shares(model, four_classes, generator)["weights_changed"] == pytest.approx(1 / 9)


def test_torchscript_is_watched_as_what_it_was_made_from(four_classes, generator):
    class Counts(nn.Module):
        def __init__(self, inner):
            super().__init__()
            self.inner = inner
            self.register_buffer("calls", torch.zeros((), dtype=torch.long))

        def forward(self, x):
            self.calls = self.calls + 1
            return self.inner(x)

    model = torch.jit.script(Counts(four_classes.model))
    assert shares(model, four_classes, generator) == {}
    assert model.calls == 0
    assert shares(torch.jit.freeze(model.eval()), four_classes, generator) == {}


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
    with preserve_state(model):
        model.grown += 1
        model.grown = torch.ones(5)
        model.register_buffer("made", torch.ones(1))
    assert model.grown is held and model.grown.equal(torch.zeros(2))
    assert list(model.state_dict()) == ["grown", "nan"]
