"""Where clean images show that an evaluation is invalid, its longest attacks are not made."""

import pytest
import torch
from torch import nn

from robustinfo.evaluation.by_protocol import evaluate_by_protocol
from robustinfo.evaluation.finished import Finished
from robustinfo.evaluation.protocol import ONLY_TO_HOLD, attacks
from robustinfo.evaluation.sizes import SIZES, Size
from robustinfo.evaluation.threats import Ball

SIZE = Size("own", 24, 5, 1, 60, 1, 20, 6, True)
BALL = Ball(norm="linf", epsilon=0.1)


class Pixels(nn.Module):
    """Linear, with or without BatchNorm that always trains in front."""

    def __init__(self, *, normed=False):
        super().__init__()
        torch.manual_seed(0)
        self.norm = nn.BatchNorm2d(1, affine=False) if normed else nn.Identity()
        self.layers = nn.Sequential(nn.Flatten(), nn.Linear(16, 4))

    def forward(self, x):
        return self.layers(self.norm.train()(x))


def evaluated(model, *, folder=None, named=None):
    x = torch.rand(24, 1, 4, 4, generator=torch.Generator().manual_seed(1))
    steps = []
    found = evaluate_by_protocol(
        SIZE, model.eval(), x, model(x).argmax(1), classes=4, ball=BALL, attacks=named,
        finished=Finished(folder, {"seed": 0}), progress=lambda step: steps.append(step.work),
    )  # fmt: skip
    return found, [one.split(",")[0] for one in steps]


INVALID = {
    "batch_dependent_fraction": lambda: Pixels(normed=True),
    "probabilities_fraction": lambda: nn.Sequential(Pixels(), nn.Softmax(1)),
    "nonfinite_fraction": lambda: nn.Sequential(Pixels(), nn.Threshold(9.0, torch.inf)),
}


@pytest.mark.parametrize("check", INVALID)
def test_the_longest_attacks_are_spared_and_the_evaluation_says_which_and_why(check):
    found, steps = evaluated(INVALID[check]())
    assert found.verdict == "invalid"
    assert found.not_made.keys() == ONLY_TO_HOLD and ONLY_TO_HOLD.isdisjoint(steps)
    assert all(reason.endswith(f"by {check}") for reason in found.not_made.values())
    assert {"fgsm", "pgd", "margin_pgd", "square"} <= found.attacks.keys()
    assert steps.count("output_checks") == 2  # once begun and once ended


def test_of_any_other_network_nothing_is_spared():
    found, _ = evaluated(Pixels())
    assert not found.not_made and found.attacks.keys() >= ONLY_TO_HOLD


def test_an_attack_that_was_named_is_made():
    found, _ = evaluated(nn.Sequential(Pixels(), nn.Softmax(1)), named=["pgd", "hop_skip_jump"])
    assert found.verdict == "invalid" and "hop_skip_jump" in found.attacks


def test_a_second_run_reads_what_the_first_has_finished(tmp_path):
    first, _ = evaluated(Pixels(normed=True), folder=tmp_path)
    files = {file: file.stat().st_mtime_ns for file in tmp_path.rglob("*.safetensors")}
    again, _ = evaluated(Pixels(normed=True), folder=tmp_path)
    assert files == {file: file.stat().st_mtime_ns for file in tmp_path.rglob("*.safetensors")}
    assert again.not_made == first.not_made and torch.equal(again.robust, first.robust)


def test_what_is_spared_is_what_no_small_protocol_has():
    """They are the attacks that the required checks of the class "not enough was tried" count."""
    assert ONLY_TO_HOLD.isdisjoint(attacks(SIZES[0], BALL))
    assert attacks(SIZES[2], BALL).keys() >= ONLY_TO_HOLD
