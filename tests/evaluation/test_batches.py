"""Images are judged batch by batch: no number depends on the batches, and memory holds one."""

import pytest
import torch
from torch import nn

from robustinfo.core import batches
from robustinfo.core.errors import UserError
from robustinfo.evaluation.attacks import Attack, attacks_of
from robustinfo.evaluation.evaluate import evaluate
from robustinfo.evaluation.threats import Ball, Threat

BALL = Ball(norm="linf", epsilon=0.1)
WITHIN = {"norm": "linf", "epsilon": 0.1}
# None of them draws anything.
ENTRIES = {
    "fgsm": {"method": "fgsm", **WITHIN},
    "pgd": {"method": "pgd", **WITHIN, "random_start": False, "steps": 5, "step_size": 0.03},
    "adaptive": {
        "method": "adaptive",
        **WITHIN,
        "random_start": False,
        "steps": 5,
        "step_size": 0.03,
    },
}


class Opened:
    """Images that count how many are asked for at once, and how often each was."""

    def __init__(self, images):
        self.images, self.shape = images, images.shape
        self.at_once, self.times = [], torch.zeros(len(images), dtype=torch.int64)

    def __getitem__(self, part):
        self.at_once.append(len(self.images[part]))
        self.times[part] += 1
        return self.images[part]


@pytest.fixture
def case():
    """A linear network, its twin, and 21 grey images of 8 bits around where they turn."""
    torch.manual_seed(0)
    model, twin = (nn.Sequential(nn.Flatten(), nn.Linear(16, 3)).eval() for _ in range(2))
    images = torch.randint(256, (21, 1, 4, 4), dtype=torch.uint8)
    labels = model(images.float() / 255).argmax(1)
    return model, twin, images, labels


def judged(case, images=None, entries=None, **settings):
    model, twin, own, labels = case
    return evaluate(
        model, own if images is None else images, labels, classes=3, ball=BALL,
        attacks=attacks_of(entries or ENTRIES, term=None), twin=twin,
        diagnostics={"outputs": {"method": "output_checks"}},
        **{"progress": lambda text: None} | settings,
    )  # fmt: skip


def broken(evaluation):
    """The images that each attack broke, and the follow-up."""
    masks = {name: one.broken for name, one in evaluation.attacks.items()}
    masks["follow-up"] = evaluation.broken_by_follow_up
    return {name: mask.nonzero().flatten().tolist() for name, mask in masks.items()}


@pytest.mark.parametrize("size", [1, 4, 20])
def test_no_number_depends_on_the_batches(case, monkeypatch, size):
    whole = judged(case)
    monkeypatch.setattr(batches, "EVALUATION_BATCH", size)
    parts = judged(case)
    assert 0 < whole.robust_accuracy < whole.clean_accuracy == 1
    assert broken(parts) == broken(whole)
    assert parts.conclusion == whole.conclusion and parts.measurements == whole.measurements


def test_an_image_is_read_once_and_a_few_again_for_the_diagnostics(case, monkeypatch):
    monkeypatch.setattr(batches, "EVALUATION_BATCH", 4)
    opened = Opened(case[2])
    found = judged(case, opened, most_diagnosed=3)
    assert opened.times.tolist() == [2] * 3 + [1] * 18 and max(opened.at_once) == 4
    assert found.n == 21
    assert {one.n for one in found.measurements if one.entry == "outputs"} <= {3, None}


def test_what_is_being_done_says_to_which_images(case, monkeypatch):
    monkeypatch.setattr(batches, "EVALUATION_BATCH", 20)
    notes = []
    judged(case, progress=notes.append)
    attacked = [note.work for note in notes if "images" in note.work]
    assert attacked[0] == "fgsm, images 1 to 20 of 21"
    assert "pgd on the twin, images 21 to 21 of 21" in attacked


def test_an_attack_that_the_last_batch_cannot_be_put_to_is_made_on_none(case, monkeypatch):
    monkeypatch.setattr(batches, "EVALUATION_BATCH", 20)

    def needs_two(model, x, y, *, generator):
        if len(x) < 2:
            raise UserError("one image has no neighbour")
        return x.clone(), torch.zeros(len(x), dtype=torch.bool)

    model, twin, images, labels = case
    own = {"neighbours": Attack(Threat("black_box", "linf", 0.1), needs_two, {})}
    found = evaluate(
        model, images, labels, classes=3, ball=BALL, attacks=attacks_of(ENTRIES, term=None) | own,
        twin=twin, diagnostics={}, progress=lambda text: None,
    )  # fmt: skip
    assert found.not_made == {"neighbours": "one image has no neighbour"}
    assert found.attacks.keys().isdisjoint({"neighbours", "neighbours from the twin"})
    assert broken(found)["pgd"] == broken(judged(case))["pgd"]


@pytest.mark.parametrize("failing", [0, 1])
def test_an_attack_that_cannot_be_made_on_one_of_the_two_is_not_made_on_the_other(case, failing):
    """Otherwise the one that is attacked more seems to be the weaker."""
    model, twin, images, labels = case
    first_weight = (model, twin)[failing][1].weight

    def fails_on_one(network, x, y, *, generator):
        if any(weight is first_weight for weight in network.parameters()):
            raise UserError("not on this one")
        return 1 - x, torch.ones(len(x), dtype=torch.bool)

    own = {"partial": Attack(Threat("iterated", "linf", 0.1), fails_on_one, {})}
    found = evaluate(
        model, images, labels, classes=3, ball=BALL, attacks=attacks_of(ENTRIES, term=None) | own,
        twin=twin, diagnostics={}, progress=lambda text: None,
    )  # fmt: skip
    assert [*found.not_made] == [("partial", "partial on the twin")[failing]]
    assert broken(found) == broken(judged(case))
