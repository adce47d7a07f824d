"""Which layers are defended: chosen by networks that defend one of them each."""

from types import SimpleNamespace

import pandas as pd
import pytest

from pipeline.results import rows
from pipeline.run import paths
from pipeline.stages import select


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
    table = select.selected(found, "plain", 0.02)
    assert select.layers(table) == ["b", "d"]
    gains = table[table.quantity == "gain"].set_index(["defence", "seed"]).value
    assert gains["on_b", 0] == pytest.approx(0.2) and gains["on_a", 1] == pytest.approx(-0.1)
    verdicts = table[table.quantity == "selected"].groupby("defence").value.unique()
    assert {name: list(v) for name, v in verdicts.items()} == {
        "on_a": [0], "on_b": [1], "on_c": [0], "on_d": [1],
    }  # fmt: skip


def test_a_layer_whose_gain_fails_the_margin_is_not_selected_and_none_may_be():
    table = select.selected(screened(plain=[0.5], on_a=[0.1], on_b=[0.505]), "plain", 0.01)
    assert select.layers(table) == []
    assert table[table.quantity == "selected"].value.tolist() == [0, 0]
    assert table[table.quantity == "gain"].value.tolist() == pytest.approx([-0.4, 0.005])


def test_a_candidate_of_several_layers_gives_each_of_them():
    table = select.selected(screened(plain=[0.1], **{"on_a+b": [0.3], "on_c": [0.2]}), "plain", 0.0)
    assert select.layers(table) == ["a", "b", "c"]


def test_a_candidate_that_is_null_in_the_setting_is_left_out(tmp_path):
    def path(template, **names):
        return tmp_path / template.format(study="s", dataset="d", model="m", **names)

    for defence, value in {"plain": 0.1, "on_a": 0.2}.items():
        row = {"stage": "select", "quantity": "attack_accuracy", "value": value, "n": 10}
        rows.write(path(paths.SCREENED, defence=defence, seed="0"), [row | {"layer": defence[3:]}])
    selection = {"compared": ["plain", "on_a", "on_b"], "margin": 0.0}
    params = {"seeds": [0], "defences": {"plain": {}, "on_a": {}}, "selection": selection}
    select.run(SimpleNamespace(params=params, path=path))
    assert select.layers(rows.read(path(paths.SELECTED))) == ["a"]
