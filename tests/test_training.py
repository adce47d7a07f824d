import copy
import math
from itertools import pairwise

import pytest
import torch
from pydantic import ValidationError
from torch import nn
from torch.nn import functional as F
from torch.optim.optimizer import register_optimizer_step_pre_hook

from robustinfo.models import text_classifier
from robustinfo.training import loop, step
from robustinfo.training.loop import DivergedError, Images, train

FULL = {
    "epochs": 4,
    "batch_size": 8,
    "optimizer": "sgd",
    "learning_rate": 0.05,
    "momentum": 0.9,
    "weight_decay": 1e-3,
    "milestones": [1, 3],
    "gamma": 0.5,
    "augmentation": {"shift": 1, "flip": True},
    "snapshot_every": 1,
}


def images(n, seed=0):
    generator = torch.Generator().manual_seed(seed)
    x = torch.randint(256, (n, 1, 6, 6), dtype=torch.uint8, generator=generator)
    return Images(x, torch.arange(n) % 3)


def network(seed=0):
    torch.manual_seed(seed)
    return nn.Sequential(
        nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Dropout(0.3), nn.Flatten(),
        nn.Linear(64, 3),
    )  # fmt: skip


def cross_entropy(model, x, y, *, generator):
    return {"clean": F.cross_entropy(model(x), y)}


def noisy(model, x, y, *, generator):
    """Two terms, one of which draws from the generator, as adversarial training does."""
    noise = 0.1 * torch.rand(x.shape, generator=generator)
    return {"clean": F.cross_entropy(model(x), y), "noisy": F.cross_entropy(model(x + noise), y)}


def run(model, loss_terms=cross_entropy, *, data=None, validation=None, state=None, seed=0, **over):
    """Every epoch, with a copy of its state."""
    data = images(22) if data is None else data
    validation = images(9, 1) if validation is None else validation
    generator = torch.Generator().manual_seed(seed)
    config = loop.Config(**(FULL | over))
    steps = train(
        model, data, validation, loss_terms, config=config, generator=generator, state=state
    )
    return [epoch._replace(state=copy.deepcopy(epoch.state)) for epoch in steps]


def same(a, b):
    """Nested states, bit for bit."""
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(map(same, a, b))
    return a.equal(b) if isinstance(a, torch.Tensor) else a == b


def weights(model):
    return copy.deepcopy(model.state_dict())


@pytest.mark.parametrize("optimizer", [{}, {"optimizer": "adam", "momentum": 0.0}])
@pytest.mark.parametrize("after", range(5))
def test_a_training_resumed_after_any_epoch_ends_in_the_same_bits(after, optimizer):
    whole = run(network(), noisy, **optimizer)
    state = copy.deepcopy(whole[after].state)
    rest = run(network(seed=9), noisy, state=state, seed=9, **optimizer)
    assert [epoch.number for epoch in rest] == list(range(after + 1, 5))
    for resumed, expected in zip(rest, whole[after + 1 :], strict=True):
        assert same(resumed.record, expected.record)
        assert same(resumed.state, expected.state)


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_texts_are_learnt_from_their_words_by_the_same_loop(precision):
    torch.manual_seed(0)
    model = text_classifier.build((6, 12), 2, config=text_classifier.Config())
    model.dropout.p = 0.0
    words = torch.randint(2, 12, (60, 6), dtype=torch.int32)
    texts = Images(words, (words == 7).any(1).long())  # whether a word occurs
    settings = {"optimizer": "adam", "momentum": 0.0, "augmentation": {}, "epochs": 12}
    settings |= {"learning_rate": 0.02, "precision": precision}
    last = run(model, data=texts, validation=texts, **settings)[-1]
    assert last.record["validation/accuracy"] == 1


def test_every_epoch_of_the_full_training_moves_the_weights():
    states = [epoch.state["model"] for epoch in run(network())]
    assert all(not same(a, b) for a, b in pairwise(states))


def test_the_epoch_before_the_first_step_is_the_model_as_it_came():
    model = network()
    before = weights(model)
    first = run(model)[0]
    assert first.number == 0 and same(first.state["model"], before)
    assert list(first.record) == ["validation/accuracy"]


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_loss_that_is_no_number_stops_in_its_epoch_and_says_where(bad):
    calls = []

    def diverges(model, x, y, *, generator):
        calls.append(len(y))
        loss = F.cross_entropy(model(x), y)
        return {"clean": loss, "entropic": loss * (bad if len(calls) == 6 else 0)}

    with pytest.raises(DivergedError) as error:
        run(network(), diverges, milestones=[1], gamma=0.1)
    assert calls == [8, 8, 6, 8, 8, 6]
    for words in ("epoch 2, step 3", "batch of 6", "learning rate 0.005", "clean ", "entropic "):
        assert words in str(error.value)


def test_a_record_is_the_mean_over_the_images_also_with_a_ragged_last_batch():
    model, data = nn.Sequential(nn.Flatten(), nn.Linear(36, 3)), images(22)
    expected = F.cross_entropy(model(data.images.float() / 255), data.labels).item()
    epochs = run(model, data=data, learning_rate=1e-30, augmentation={})
    assert epochs[1].record["train/clean"] == pytest.approx(expected, rel=1e-6)


def test_the_terms_of_a_record_sum_to_its_loss():
    for epoch in run(network(), noisy)[1:]:
        parts = epoch.record["train/clean"] + epoch.record["train/noisy"]
        assert epoch.record["train/loss"] == pytest.approx(parts, rel=1e-6)


def test_milestones_count_epochs_and_not_batches():
    records = [epoch.record for epoch in run(network(), milestones=[2, 3], gamma=0.1)[1:]]
    rates = [record["learning_rate"] for record in records]
    assert rates == pytest.approx([0.05, 0.05, 0.005, 0.0005])


def test_the_rate_falls_after_epochs_20_and_60_and_never_within_an_epoch():
    """The schedule of arXiv 2207.05756, whose published code stepped it with every batch."""
    rates = []
    hook = register_optimizer_step_pre_hook(
        lambda optimizer, *_: rates.append(optimizer.param_groups[0]["lr"])
    )
    try:
        schedule = {"epochs": 62, "learning_rate": 0.1, "milestones": [20, 60], "gamma": 0.5}
        run(network(), **schedule)
    finally:
        hook.remove()
    batches = 3  # of an epoch
    expected = [0.1] * 20 * batches + [0.05] * 40 * batches + [0.025] * 2 * batches
    assert rates == pytest.approx(expected)


def test_an_epoch_reads_every_image_once_in_an_order_of_its_own():
    data = images(22)
    orders, order = [], []

    def records(model, x, y, *, generator):
        assert model.training
        order.extend((x * 255).round().byte())
        return cross_entropy(model, x, y, generator=generator)

    for _ in range(2):
        order.clear()
        run(network(), records, data=data, epochs=1, augmentation={}, seed=len(orders))
        orders.append(torch.stack(order))
    assert not orders[0].equal(orders[1])
    for read in orders:
        hits = (read[:, None] == data.images).flatten(2).all(2)
        assert (hits.sum(0) == 1).all() and (hits.sum(1) == 1).all()


def test_validation_teaches_the_model_nothing():
    one = network()
    run(one, validation=images(9, 1))
    other = network()  # seeds the dropout, too
    run(other, validation=images(0))
    assert same(weights(one), weights(other))
    assert one[1].num_batches_tracked == 4 * 3


def test_validation_accuracy_is_that_of_the_model_in_eval_mode():
    model, validation = network(), images(60, 1)
    last = run(model, validation=validation)[-1]
    hits = model.eval()(validation.images.float() / 255).argmax(1) == validation.labels
    assert last.record["validation/accuracy"] == pytest.approx(hits.double().mean().item())


def test_without_validation_images_there_is_no_accuracy():
    assert math.isnan(run(network(), validation=images(0))[-1].record["validation/accuracy"])


def test_one_step_of_sgd_is_the_textbook_one():
    model, data = nn.Sequential(nn.Flatten(), nn.Linear(36, 3)), images(8)
    loss = F.cross_entropy(model(data.images.float() / 255), data.labels)
    gradients = torch.autograd.grad(loss, list(model.parameters()))
    expected = [
        w.detach() - 0.05 * (g + 1e-3 * w.detach())
        for w, g in zip(model.parameters(), gradients, strict=True)
    ]
    run(model, data=data, epochs=1, augmentation={})
    for found, weight in zip(model.parameters(), expected, strict=True):
        torch.testing.assert_close(found.detach(), weight)


def test_a_separable_set_is_learned():
    data = Images(255 * torch.eye(36, dtype=torch.uint8).view(36, 1, 6, 6), torch.arange(36) % 3)
    model = nn.Sequential(nn.Flatten(), nn.Linear(36, 3))
    last = run(
        model, data=data, validation=data, epochs=30, learning_rate=0.5, augmentation={},
        milestones=[],
    )[-1]  # fmt: skip
    assert last.record["validation/accuracy"] == 1


def test_rmsprop_smooths_as_it_is_told():
    config = loop.Config(**FULL | {"optimizer": "rmsprop", "smoothing": 0.9})
    (group,) = step.optimizer_of(network(), config).param_groups
    assert group["alpha"] == 0.9 and group["momentum"] == FULL["momentum"]


def test_either_kind_of_convolution_learns_the_same():
    one, other = network(), network()
    one[3].p = other[3].p = 0.0  # dropout draws in the order of memory, and that differs
    run(one, onednn=True)
    run(other, onednn=False)
    for a, b in zip(one.parameters(), other.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-3, atol=1e-4)


def test_bfloat16_computes_in_it_and_keeps_its_weights_in_float32():
    kinds = []

    def records(model, x, y, *, generator):
        logits = model(x)
        kinds.append(logits.dtype)
        return {"clean": F.cross_entropy(logits.float(), y)}

    model = network()
    run(model, records, precision="bfloat16")
    assert set(kinds) == {torch.bfloat16}
    assert {weight.dtype for weight in model.parameters()} == {torch.float32}


def test_adam_takes_no_momentum():
    with pytest.raises(ValueError, match="adam takes no `momentum`"):
        run(network(), optimizer="adam")


@pytest.mark.parametrize("missing", ["epochs", "batch_size", "learning_rate", "snapshot_every"])
def test_a_missing_number_is_an_error(missing):
    with pytest.raises(ValidationError, match=missing):
        loop.Config(**{key: value for key, value in FULL.items() if key != missing})
