"""What is measured of the images that were trained on, and of every snapshot beside its layers."""

import re
from pathlib import Path

import pytest

from pipeline.results import rows
from pipeline.run.contract import template
from pipeline.study.check import load
from pipeline.study.strict_yaml import StudyError
from robustinfo.core import checkpoint
from tests.staged import staged

TRAINING = "epochs: 2, learning_rate: 0.003, snapshot_every: 1"
STUDY = f"""
name: trained-on
seeds: [3]
settings: [{{dataset: digits, model: lenet5}}]
datasets: {{digits: {{method: digits, size: 12}}}}
models: {{lenet5: {{method: lenet5}}}}
training_images: 700
validation_share: 0.2
defences:
  plain: {{method: standard, loss: {{method: cross_entropy}}}}
  entropic: {{method: entropic, loss: {{method: cross_entropy}}, weight: 1.0, factor: 1.65}}
pretrain: {{plain: {{{TRAINING}, batch_size: 32}}}}
retrain: {{entropic: {{{TRAINING}, batch_size: 4, augmentation: {{shift: 2}}}}}}
retrain_from: plain
evaluation_images: 30
attacks: {{}}
measures:
  entropic: {{method: activation_entropy}}
  kde: {{method: kde_information}}
training_measure: entropic
snapshot_diagnostics: {{zero: {{method: zero_gradients, norm: linf, epsilon: 0.1}}}}
diagnostics: {{zero: {{method: zero_gradients, norm: linf, epsilon: 0.1}}}}
verdict: {{twin: plain}}
"""
NAMES = {"dataset": "digits", "model": "lenet5", "seed": "3"}


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    """The target of the retraining before the factor, and the rows of two stages."""
    defence, folder = "entropic", tmp_path_factory.mktemp("trained-on")
    with staged(folder, STUDY) as (study, run):
        run("prepare", dataset="digits")
        run("pretrain", **NAMES, defence="plain")
        run("retrain", **NAMES, defence=defence)
        run("measure", **NAMES, defence=defence)
        run("diagnose", **NAMES, defence=defence)
        names = {"study": study["name"], **NAMES, "defence": defence}
        state = (
            checkpoint.load(Path(template("model").format(**names))).state["pretrained_flow"].item()
        )
        files = (template("measures"), template("diagnostics"))
        yield state, *(rows.read(Path(file.format(**names))) for file in files)


def test_the_flow_before_a_retraining_is_the_one_that_its_target_was_made_of(measured):
    target, table, _ = measured
    flow = table[(table.quantity == "entropy_flow") & (table.epoch == 0)]
    flow = flow.set_index("input").value
    assert flow["training"] == pytest.approx(target, rel=1e-6)
    assert abs(flow["clean"] - target) > 1e-3 * abs(target)  # other images have another


def test_the_images_that_were_held_out_are_not_among_those_that_were_trained_on(measured):
    """Of 700, a fifth of each class, 139; every row says how many are behind it."""
    _, table, _ = measured
    training = table[table.input == "training"]
    assert {*training.n} == {561} and {*table[table.input == "clean"].n} == {30}
    assert {*training.entry} == {"entropic", ""} and {*training.epoch} == {0, 1, 2}
    assert {*training[training.entry == ""].quantity} == {"accuracy", "loss"}


def test_a_diagnostic_of_the_last_snapshot_says_what_it_says_of_the_finished_network(measured):
    *_, table, diagnosed = measured
    zero = table[table.entry == "zero"]
    assert {*zero.input} == {"clean"} and {*zero.epoch} == {0, 1, 2}
    last = zero[zero.epoch == 2].set_index("quantity").value
    final = diagnosed[diagnosed.entry == "zero"].set_index("quantity").value
    assert last.to_dict() == final.to_dict() and len(last) == 2


@pytest.mark.parametrize(
    "old, new, problem",
    [
        ("e: entropic\n", "e: kde\n", "training_measure: kde_information takes all images at once"),
        ("e: entropic\n", "e: other\n", "training_measure: no 'other' among entropic, kde"),
        (
            "diagnostics: {zero: {method: zero_gradients, norm: linf, epsilon: 0.1}}\ndia",
            "diagnostics: {zero: {method: loss_trajectory, epsilon: 0.1, step_size: 0.1, "
            "steps: 9}}\ndia",
            "snapshot_diagnostics.zero.method: speaks of what attacks left",
        ),
    ],
)
def test_what_a_snapshot_cannot_be_asked_is_refused_before_any_job(old, new, problem, tmp_path):
    file = tmp_path / "study.yaml"
    file.write_text(STUDY.replace(old, new))
    with pytest.raises(StudyError, match=re.escape(problem)):
        load(file)
