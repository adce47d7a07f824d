"""Names that look like nothing or like numbers, from a run's tables to the report."""

import re
from functools import partial

import pandas as pd
import pytest

from pipeline.results import rows, sealed_text
from pipeline.stages import collect, leaderboard, overview, report, verdict
from robustinfo.core.files import AlteredFileError
from tests.jobs import STANDARD, default, made, of_run, settle

SETTING = {"dataset": "digits", "model": "lenet5"}
DEFENCES = ["None", "NA", "nan", "null", "007", "1e3", "True"]
ATTACK, CURVE = "NA", "epsilon_curve"


@pytest.fixture
def job(tmp_path, monkeypatch):
    """Makes jobs of the default study under such names, on invented runs of one seed."""
    study = default()
    pgd = study["attacks"]["linf_pgd"]
    curve = {CURVE: study["diagnostics"][CURVE]}
    changed = {"defences": {name: STANDARD for name in DEFENCES}, "attacks": {ATTACK: pgd}}
    changed |= {"pretrain": {name: {} for name in DEFENCES}, "retrain": {}, "train_selected": {}}
    changed |= {"seeds": [0], "toys": {}, "tables": {}, "figures": {}, "diagnostics": curve}
    changed |= {"settings": [SETTING], "verdict": {"twin": "None"}}
    study |= changed | {"complexities": {}, "distortions": {}}
    study["measures"] = {"NA": {"method": "binned_information", "width": 0.5}}
    settle(tmp_path, monkeypatch)
    make = partial(made, study)
    collected = make("collect", **SETTING)
    sealed_text.write_json(collected.file("data"), {"classes": [*"0123456789"]})
    for place, name in enumerate(DEFENCES):
        run = {"defence": name, "seed": "0"}
        clean = {"stage": "diagnose", "entry": "clean", "quantity": "accuracy", "value": 0.9}
        clean["interval"] = "fraction"
        left = {"stage": "attack", "entry": ATTACK, "quantity": "accuracy", "value": 0.1 * place}
        of_linf = {"stage": "diagnose", "entry": "linf", "quantity": "robust_accuracy"}
        of_linf |= {"value": 0.1 * place, "interval": "fraction"}
        swept = {"stage": "diagnose", "entry": CURVE, "quantity": "attack_accuracy", "value": 0.5}
        bits = {"stage": "measure", "entry": "NA", "input": "clean", "epoch": 3, "layer": "fc2"}
        bits |= {"quantity": "information_input_bits", "value": 2.0 + place, "saturated": True}
        loss = {"stage": "train", "quantity": "train/loss", "value": 0.5}
        of_all, levels = of_linf | {"entry": "union"}, (swept | {"level": n} for n in (0, 1))
        content = {f"{ATTACK}.csv": [left], "measures.csv": [bits], "history.csv": [loss]}
        content["diagnostics.csv"] = [clean, of_linf, of_all, *levels]
        assert {one.path.name for one in collected.files("tables", **run)} == {*content}
        for file, lines in content.items():
            path = of_run(collected, "tables", file, **run)
            rows.write(path, ({"n": 90} | line for line in lines))
        outcomes = pd.DataFrame({"entry": "linf", "index": [0, 1], "correct": [1, 0]})
        rows.write_table(collected.file("outcomes", **run), outcomes)
    return make


def test_every_name_survives_from_the_runs_to_the_report(job):
    collected = job("collect", **SETTING)
    collect.run(collected)
    for artifact in ("results", "per_image"):
        table = rows.read(collected.writes[artifact])
        assert [*table.defence.unique()] == DEFENCES and set(table.seed) == {0}
    entries = set(rows.read(collected.writes["results"]).entry)
    assert entries == {"", "clean", "union", "linf", "NA", CURVE}

    board = job("leaderboard")
    judge = job("verdict")
    verdict.run(judge)
    judged = rows.read(board.file("verdict"))
    assert judged.defence.tolist() == DEFENCES and set(judged.strongest_attack) == {ATTACK}
    assert rows.read(judge.writes["checks"]).defence.unique().tolist() == DEFENCES
    for file in board.paths("remedied"):
        rows.write(file, [])
    leaderboard.run(board)
    assert {*rows.read(board.writes["leaderboard"]).defence} == {*DEFENCES}
    left = rows.read(board.writes["accuracy_by_attack"])
    assert set(left.attack) == {"clean", "NA", "all in linf"}
    assert rows.read(board.writes["information"]).defence.tolist() == DEFENCES

    pictures = job("overview")
    overview.run(pictures)
    drawn = pictures.writes["overview"] / "settings/digits/lenet5"
    picture = (drawn / "attacks.svg").read_text()
    assert all(f">{name}<" in picture for name in DEFENCES)
    assert (
        f">{ATTACK}, L∞ " in picture
        and "all in linf, L∞ " in picture
        and (drawn / f"{CURVE}.svg").is_file()
    )

    page = job("report")
    rows.write_table(page.file("gallery", **SETTING), pd.DataFrame(columns=["attack"]))
    rows.write_table(page.file("claims"), pd.DataFrame(columns=["claim", "sentence"]))
    report.run(page)
    text = page.writes["report"].read_text()
    assert re.findall(r'id="checks-digits-lenet5-linf-([^"]*)"', text) == DEFENCES
    assert {*re.findall(r"&ensp;(\S*?)[ \n]*(?:<|$)", text, re.M)} == {*DEFENCES}
    assert text.count("<small>NA</small>") == len(DEFENCES)


@pytest.mark.parametrize(
    ("role", "name"),
    [
        ("tables", "diagnostics.csv"),
        ("tables", "history.csv"),
        ("outcomes", "outcomes.csv"),
        ("data", "data.json"),
    ],
)
@pytest.mark.parametrize("harm", ["flip", "cut", "header"])
def test_an_altered_file_of_a_run_stops_the_study_by_name(job, role, name, harm):
    collected = job("collect", **SETTING)
    file = of_run(collected, role, name, **({} if role == "data" else {"defence": "NA"}))
    content = file.read_bytes()
    header = b"".join(content.splitlines(keepends=True)[:2])
    altered = {"flip": bytes([*content[:-3], content[-3] ^ 1, *content[-2:]]), "header": header}
    altered |= {"cut": content[: len(content) // 2]}
    file.write_bytes(altered[harm])
    with pytest.raises(AlteredFileError, match=f"{file.name} is not as it was written"):
        collect.run(collected)
