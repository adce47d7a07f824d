"""What studies/mutual-information.yaml puts beside its numbers, on rows whose values are given."""

import math
from pathlib import Path

import pandas as pd
import pytest

from pipeline.results.claim_judgement import judge_claim
from pipeline.results.tables import tabulate
from pipeline.study.check import load
from pipeline.study.claim import Claim
from pipeline.study.target import Target

STUDY = load(Path("studies/mutual-information.yaml"))
BASE = {
    "dataset": "cifar10", "model": "wrn_10_1", "input": "clean", "entry": "", "layer": "",
    "epoch": 200, "level": math.nan, "n": 5000, "saturated": "", "low": math.nan, "high": math.nan,
    "interval": "unknown",
}  # fmt: skip


def frame(lines):
    return pd.DataFrame([BASE | line for line in lines])


def test_the_papers_accuracies_stand_beside_its_own_networks_in_normal_training_alone():
    clean = {"stage": "diagnose", "entry": "clean", "quantity": "accuracy", "value": 0.9, "seed": 0}
    lines = [
        clean | setting | {"defence": defence}
        for setting in STUDY["settings"]
        for defence in STUDY["defences"]
    ]
    target = Target(**STUDY["tables"]["table-accuracy"])
    table = tabulate(frame(lines), target, Path("studies/references"), STUDY)
    paper = table.set_index(["row", "column"]).paper.dropna().to_dict()
    assert paper == pytest.approx({
        ("mnist / standard", "lenet5"): 0.98,
        ("cifar10 / standard", "wrn_10_1"): 0.85,
        ("stl10 / standard", "wrn_10_1"): 0.85,
    })  # fmt: skip


def ended(*, accuracy, scale, saturated=""):
    """Two seeds of both networks after training; the adversarial one knows a bit less."""
    fc = {"stage": "measure", "layer": "fc"}
    scales = fc | {"entry": "logit_scale", "quantity": "logit_scale"}
    information = fc | {"quantity": "information_label_bits_lower"}
    lines = [{"stage": "data", "quantity": "classes", "value": 10, "defence": "standard"}]
    for seed in (0, 1):
        for defence, factor in (("standard", 1), ("adversarial", 0)):
            own = {"defence": defence, "seed": seed}
            right = own | {"quantity": "accuracy", "value": accuracy if factor else 0.8}
            bits = own | information | {"value": 2.0 + factor * (1 + 0.01 * seed)}
            bits |= {"saturated": saturated if factor else ""}
            lines += [
                right | {"stage": "measure"},
                right | {"stage": "diagnose", "entry": "clean"},
                own | scales | {"value": scale if factor else 2.0},
                *(bits | {"entry": entry} for entry in ("kde", "kde_relative")),
            ]
    return frame(lines)


@pytest.mark.parametrize(
    ("accuracy", "scale", "saturated", "fixed", "relative"),
    [
        (0.82, 2.2, "", "supported", "supported"),
        (0.82, 4.0, "", "confounded", "supported"),
        (0.9, 2.2, "", "confounded", "confounded"),
        (0.82, 2.2, "True", "saturated", "saturated"),
    ],
)
def test_networks_are_compared_by_fixed_noise_at_like_accuracy_and_scale_by_relative_at_accuracy(
    accuracy, scale, saturated, fixed, relative
):
    rows = ended(accuracy=accuracy, scale=scale, saturated=saturated)
    for name, judgement in (("at_lower_last", fixed), ("at_lower_label", relative)):
        found = judge_claim(rows, Claim(**STUDY["claims"][name]))
        assert found["value"] == pytest.approx(-1.005)
        assert found["uncorrected"] == judgement, found["reason"]
