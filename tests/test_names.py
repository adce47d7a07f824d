"""Names that look like nothing or like numbers, from a run's tables to the report."""

import re
from pathlib import Path

import pandas as pd
import pytest

from pipeline.results import rows, sealed_text
from pipeline.run import paths
from pipeline.run.job import Job
from pipeline.stages import collect, leaderboard, overview, report, verdict
from pipeline.study.slices import slices
from pipeline.study.strict_yaml import read
from robustinfo.core.files import AlteredFileError

SETTING = {"dataset": "digits", "model": "lenet5"}
DEFENCES = ["None", "NA", "nan", "null", "007", "1e3", "True"]
ATTACK, CURVE = "NA", "epsilon_curve"


@pytest.fixture
def job(tmp_path, monkeypatch):
    """Makes jobs of the default study under such names, on invented runs of one seed."""
    study, _ = read(Path("params.yaml"))
    monkeypatch.chdir(tmp_path)
    pgd = study["attacks"]["linf_pgd"]
    curve = {CURVE: study["diagnostics"][CURVE]}
    changed = {"defences": {name: {} for name in DEFENCES}, "attacks": {ATTACK: pgd}}
    changed |= {"seeds": [0], "toys": {}, "tables": {}, "figures": {}, "diagnostics": curve}
    changed |= {"settings": [SETTING], "verdict": {"twin": "None"}}
    study |= changed | {"complexities": {}, "distortions": {}}

    def make(stage, **names):
        return Job(stage, "s", names, slices(study, stage, names))

    collected = make("collect", **SETTING)
    sealed_text.write_json(collected.path(paths.DATA), {"classes": [*"0123456789"]})
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
        content = dict.fromkeys(paths.tables(collected.params, name), ())
        content[paths.ATTACK.replace("{attack}", ATTACK)] = [left]
        content[paths.MEASURES] = [bits]
        content[paths.HISTORY] = [{"stage": "train", "quantity": "train/loss", "value": 0.5}]
        of_all, levels = of_linf | {"entry": "attacks"}, (swept | {"level": n} for n in (0, 1))
        content[paths.DIAGNOSTICS] = [clean, of_linf, of_all, *levels]
        for template, lines in content.items():
            rows.write(collected.path(template, **run), ({"n": 90} | line for line in lines))
        outcomes = pd.DataFrame({"entry": "linf", "index": [0, 1], "correct": [1, 0]})
        rows.write_table(collected.path(paths.OUTCOMES, **run), outcomes)
    return make


def test_every_name_survives_from_the_runs_to_the_report(job):
    collected = job("collect", **SETTING)
    collect.run(collected)
    for template in (paths.RESULTS, paths.STANDING):
        table = rows.read(collected.path(template))
        assert [*table.defence.unique()] == DEFENCES and set(table.seed) == {0}
    entries = set(rows.read(collected.path(paths.RESULTS)).entry)
    assert entries == {"", "clean", "attacks", "linf", "NA", CURVE}

    board = job("leaderboard")
    verdict.run(job("verdict"))
    judged = rows.read(board.path(paths.VERDICT))
    assert judged.defence.tolist() == DEFENCES and set(judged.strongest) == {ATTACK}
    assert rows.read(board.path(paths.CHECKS)).defence.unique().tolist() == DEFENCES
    leaderboard.run(board)
    assert {*rows.read(board.path(paths.LEADERBOARD)).defence} == {*DEFENCES}
    assert set(rows.read(board.path(paths.LEFT)).attack) == {"clean", "NA", "all in linf"}
    assert rows.read(board.path(paths.INFORMATION)).defence.tolist() == DEFENCES

    overview.run(job("overview"))
    drawn = board.path(paths.DRAWN) / "settings/digits/lenet5"
    picture = (drawn / "attacks.svg").read_text()
    assert all(f">{name}<" in picture for name in [*DEFENCES, ATTACK])
    assert "all in linf" in picture and (drawn / f"{CURVE}.svg").is_file()

    page = job("report")
    rows.write_table(page.path(paths.GALLERY, **SETTING), pd.DataFrame(columns=["attack"]))
    rows.write_table(page.path(paths.CLAIMS), pd.DataFrame(columns=["claim", "sentence"]))
    report.run(page)
    text = page.path(paths.REPORT).read_text()
    assert re.findall(r'id="checks-digits-lenet5-linf-([^"]*)"', text) == DEFENCES
    assert {*re.findall(r"</td><td><b>(.*?)</b></td>", text)} == {*DEFENCES}
    assert text.count("<small>NA</small>") == len(DEFENCES)


@pytest.mark.parametrize("template", [paths.DIAGNOSTICS, paths.HISTORY, paths.OUTCOMES, paths.DATA])
@pytest.mark.parametrize("harm", ["flip", "cut", "header"])
def test_an_altered_file_of_a_run_stops_the_study_by_name(job, template, harm):
    collected = job("collect", **SETTING)
    file = collected.path(template, defence="NA", seed="0")
    content = file.read_bytes()
    header = b"".join(content.splitlines(keepends=True)[:2])
    altered = {"flip": bytes([*content[:-3], content[-3] ^ 1, *content[-2:]]), "header": header}
    altered |= {"cut": content[: len(content) // 2]}
    file.write_bytes(altered[harm])
    with pytest.raises(AlteredFileError, match=f"{file.name} is not as it was written"):
        collect.run(collected)
