"""Calibration and common corruptions beside robust accuracy, of networks that are known."""

import numpy as np
import pytest
import torch
from torch import nn

import robustinfo
from robustinfo.core.measurement import Measurement
from robustinfo.evaluation import beside
from robustinfo.evaluation.progress import Step
from robustinfo.evaluation.sizes import BY_NAME

MEANS = torch.linspace(0.05, 0.95, 40)
X = MEANS.view(-1, 1, 1, 1).expand(-1, 1, 4, 4).clone()
Y = (MEANS > 0.5).long()


class Bright(nn.Module):
    """Class 1 where the mean of an image is above the threshold."""

    def __init__(self, threshold=0.5):
        super().__init__()
        self.threshold = threshold

    def forward(self, x):
        lead = x.flatten(1).mean(1) - self.threshold
        return torch.stack([-lead, lead], 1)


def judged(model=None, **options):
    usual = {"epsilon": 0.1, "protocol": "tiny", "attacks": ["fgsm", "pgd"], "device": "cpu"}
    return robustinfo.judge(model or Bright(), X, Y, **usual | options)


@pytest.fixture(scope="module")
def with_twin():
    return judged(corruptions=True, twin=Bright(0.3))


def test_brightness_costs_what_it_lifts_over_the_threshold(with_twin):
    found = with_twin.corruptions
    assert len(found.of_each) == 14 and with_twin.to_dict()["protocol"]["corruptions"]
    for one, amount in zip(
        found.by_severity["brightness"], (0.05, 0.1, 0.15, 0.2, 0.3), strict=True
    ):
        lifted = (MEANS <= 0.5) & (MEANS + amount > 0.5)
        assert one.value == pytest.approx(1 - lifted.float().mean().item(), abs=0.026)
    assert found.of_each["contrast"].value == 1
    assert found.accuracy.low < found.accuracy.value < found.accuracy.high < 1
    everything = [one.value for one in found.of_each.values()]
    assert found.accuracy.value == pytest.approx(sum(everything) / 14)


def test_errors_are_divided_by_those_of_the_twin_on_the_same_corrupted_images(with_twin):
    twins = [one for one in with_twin.measurements if one.entry == "corruptions on the twin"]
    errors = {
        one.input: 1 - one.value for one in twins if one.quantity == "accuracy_over_severities"
    }
    ratios = [(1 - one.value) / errors[name] for name, one in with_twin.corruptions.of_each.items()]
    assert with_twin.corruptions.relative_error == pytest.approx(sum(ratios) / 14)
    assert 0 < with_twin.corruptions.relative_error < 1
    same = judged(corruptions=True, twin=Bright())
    fallible = [one for one in same.corruptions.of_each.values() if one.value < 1]
    assert fallible and same.corruptions.relative_error is None, "contrast makes no error at all"


def test_calibration_is_there_always_and_corruptions_where_the_protocol_or_the_caller_wants_them():
    assert [BY_NAME[name].corruptions for name in BY_NAME] == [False, False, True, True, True]
    found = judged()
    assert found.corruptions is None and found.to_dict()["corruptions"] is None
    confidence = (2 * (MEANS - 0.5).abs()).sigmoid().double()
    expected = torch.nn.functional.cross_entropy(Bright()(X).double(), Y).item()
    assert found.calibration["negative_log_likelihood"].value == pytest.approx(expected, abs=1e-6)
    unsure = found.calibration["overconfidence"]
    assert unsure.value == pytest.approx(confidence.mean().item() - 1, abs=1e-6)
    assert unsure.high < 0
    (line,) = [one for one in repr(found).splitlines() if one.startswith("beside: ")]
    assert "calibration error 38" in line and "NLL 0." in line and "corruption" not in line
    told = list[Step]()
    judged(corruptions=True, progress=told.append)
    assert any(step.work == "corruptions" and step.result for step in told)
    assert all(step.fraction <= 1 for step in told) and told[-1].fraction == 1


def test_the_verdict_asks_for_neither(with_twin):
    without = judged(corruptions=False, twin=Bright(0.3))
    assert with_twin.verdict == without.verdict
    assert [one.result for one in with_twin.checks] == [one.result for one in without.checks]


def test_a_black_box_is_asked_both_and_one_that_gives_labels_has_no_confidence():
    def answers(images):
        lead = images.reshape(len(images), -1).mean(1) - 0.5
        return np.stack([-lead, lead], 1)

    found = judged(answers, attacks=None, corruptions=True)
    assert found.corruptions.accuracy.value == pytest.approx(
        judged(corruptions=True).corruptions.accuracy.value
    )
    assert found.calibration["brier_score"].value == pytest.approx(
        judged().calibration["brier_score"].value, abs=1e-6
    )
    labels = judged(lambda images: answers(images).argmax(1), attacks=None, classes=2)
    assert labels.calibration == {} and labels.to_dict()["calibration"] is None


def test_of_a_network_that_may_abstain_neither_has_a_meaning():
    class Declines(Bright):
        def forward(self, x):
            return torch.cat([super().forward(x), torch.zeros(len(x), 1)], 1)

    found = judged(Declines(), abstain="robust", classes=2, corruptions=True)
    assert found.calibration == {} and found.corruptions is None
    assert not any(one.startswith("beside") for one in repr(found).splitlines())


def test_a_stopped_evaluation_goes_on_with_what_was_measured(tmp_path):
    one, other = (judged(corruptions=True, out=tmp_path) for _ in range(2))
    assert one.corruptions == other.corruptions and one.calibration == other.calibration
    kept = {file.stem for file in (tmp_path / "diagnostics").iterdir()}
    assert {"corruptions", "calibration"} <= kept


def test_what_json_has_not_is_null():
    infinite = Measurement("negative_log_likelihood", float("inf"), "own", 3, float("nan"), 1.0)
    others = [Measurement(name, 0.1, n=3) for name in beside.QUANTITIES if name[0] != "n"]
    found = beside.calibration_as_data([infinite, *others])
    assert found["negative_log_likelihood"] == {"value": None, "low": None, "high": 1.0}
    assert found["n"] == 3
