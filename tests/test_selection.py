"""Which layers are defended: chosen by networks that defend one of them each."""

import pandas as pd
import pytest

from pipeline.results import rows
from pipeline.results.selection import selected_layers
from pipeline.run import start
from pipeline.stages import select
from pipeline.study.strict_yaml import StudyError
from tests.staged import staged


def screened(**accuracies):
    return pd.DataFrame(
        {"defence": defence, "seed": seed, "layer": defence.removeprefix("on_"), "value": value}
        | {"quantity": "attack_accuracy"}
        for defence, values in accuracies.items()
        for seed, value in enumerate(values)
    )


def test_layers_are_selected_whose_mean_gain_exceeds_the_margin():
    found = screened(
        plain=[0.1, 0.3], on_a=[0.2, 0.2], on_b=[0.3, 0.5], on_c=[0.11, 0.31], on_d=[0.2, 0.4]
    )
    table = select.select_layers(found, "plain", 0.02)
    assert selected_layers(table) == ["b", "d"]
    gains = table[table.quantity == "gain"].set_index(["defence", "seed"]).value
    assert gains["on_b", 0] == pytest.approx(0.2) and gains["on_a", 1] == pytest.approx(-0.1)
    verdicts = table[table.quantity == "selected"].groupby("defence").value.unique()
    assert {name: list(v) for name, v in verdicts.items()} == {
        "on_a": [0], "on_b": [1], "on_c": [0], "on_d": [1],
    }  # fmt: skip


def test_a_layer_whose_gain_fails_the_margin_is_not_selected_and_none_may_be():
    table = select.select_layers(screened(plain=[0.5], on_a=[0.1], on_b=[0.505]), "plain", 0.01)
    assert selected_layers(table) == []
    assert table[table.quantity == "selected"].value.tolist() == [0, 0]
    assert table[table.quantity == "gain"].value.tolist() == pytest.approx([-0.4, 0.005])


def test_a_candidate_of_several_layers_gives_each_of_them():
    table = select.select_layers(
        screened(plain=[0.1], **{"on_a+b": [0.3], "on_c": [0.2]}), "plain", 0.0
    )
    assert selected_layers(table) == ["a", "b", "c"]


STUDY = """
name: tiny
seeds: [0]
settings: [{dataset: digits, model: lenet5}, {dataset: digits, model: other}]
datasets: {digits: {method: digits}}
models: {lenet5: &lenet5 {method: lenet5}, other: *lenet5}
validation_share: 0.2
defences:
  plain: &plain {method: standard, loss: {method: cross_entropy}}
  on_conv1: &ib {method: ib_rar, base: *plain, layers: [conv1], masked_share: 0.0}
  on_conv2: {per: {digits/lenet5: null, else: {<<: *ib, layers: [conv2]}}}
  selected: {per: {digits/other: null, else: {method: ib_rar, base: *plain, masked_share: 0.0}}}
pretrain:
  plain: &training {epochs: 1, batch_size: 8, learning_rate: 0.1, snapshot_every: 1}
  on_conv1: *training
  on_conv2: *training
train_selected: {selected: *training}
selection:
  settings: [{dataset: digits, model: lenet5}]
  compared: [plain, on_conv1, on_conv2]
  attack: pgd
  margin: 0.0
attacks: {pgd: {method: pgd, epsilon: 0.5, step_size: 0.1, steps: 1}}
diagnostics: {curve: {method: attack_accuracy, steps: 1, sweep: {epsilon: [0.0, 0.5, 1.0]}}}
verdict: {twin: plain}
"""
SETTING = {"dataset": "digits", "model": "lenet5"}


def test_a_candidate_that_is_null_in_the_setting_is_left_out(tmp_path):
    with staged(tmp_path, STUDY) as (study, run):
        for name, value in {"plain": 0.1, "on_conv1": 0.2}.items():
            screen = start.build_job(study, "screen", SETTING | {"defence": name, "seed": "0"})
            row = {"stage": "select", "quantity": "attack_accuracy", "value": value, "n": 10}
            rows.write(screen.writes["screened"], [row | {"layer": name.removeprefix("on_")}])
        run("select", **SETTING)
        chosen = rows.read(start.build_job(study, "select", SETTING).writes["selection"])
        assert selected_layers(chosen) == ["conv1"]
        with pytest.raises(StudyError, match="stage screen has no defence 'on_conv2' here"):
            start.build_job(study, "screen", SETTING | {"defence": "on_conv2", "seed": "0"})
