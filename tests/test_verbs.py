"""``python -m pipeline VERB``: what the verbs are, and what check and resolve say of a study."""

import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from pipeline.__main__ import VERBS, usage
from pipeline.study import commands
from pipeline.study.check import load
from pipeline.study.slices import in_setting
from pipeline.study.strict_yaml import StudyError


def run(*words):
    command = [sys.executable, "-m", "pipeline", *words]
    return subprocess.run(command, capture_output=True, text=True)


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_is_a_program_and_stands_in_the_help(verb):
    module, name = VERBS[verb][0].split(":")
    assert callable(getattr(import_module(module), name))
    assert f"  {verb} " in usage()


def test_without_a_word_and_with_help_the_verbs_are_listed():
    for words in ((), ("--help",)):
        found = run(*words)
        assert found.returncode == 0 and found.stdout == usage() + "\n"


def test_a_misspelt_verb_is_one_line_with_the_choices():
    found = run("chek", "params.yaml")
    assert found.returncode == 1 and found.stderr.count("\n") == 1
    assert "no verb 'chek'; did you mean `check`? choose from stage, check" in found.stderr


def test_a_stage_without_a_name_says_how_it_is_started():
    found = run("stage")
    assert found.returncode == 1
    assert found.stderr == "usage: python -m pipeline stage NAME --study FILE ...\n"


def test_the_command_imports_nothing_heavy_before_it_knows_the_verb():
    code = "import sys, pipeline.__main__; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout
    assert not {"torch", "pandas", "pydantic", "ruamel.yaml", "argparse"} & {*loaded.split()}


def test_check_says_in_a_line_what_a_study_is(capsys):
    commands.check(["params.yaml"])
    told = "quickstart: 1 setting, 4 defences, 2 seeds: 8 runs; 4 tables, 6 figures, 9 claims"
    assert capsys.readouterr().out == f"params.yaml: {told}\n"


def test_check_ends_with_1_and_the_first_problem(tmp_path):
    wrong = tmp_path / "study.yaml"
    wrong.write_text(Path("params.yaml").read_text().replace("epochs: 24", "epochs: many", 1))
    found = run("check", str(wrong))
    assert found.returncode == 1 and found.stdout == ""
    assert f"error: {wrong}:" in found.stderr and "pretrain.standard.epochs" in found.stderr


@pytest.mark.parametrize("name", ["params.yaml", *map(str, sorted(Path("studies").glob("*.yaml")))])
def test_what_resolve_prints_is_the_same_study_without_what_it_inherits(name, tmp_path, capsys):
    commands.resolve([name])
    (tmp_path / "whole.yaml").write_text(capsys.readouterr().out)
    assert load(tmp_path / "whole.yaml") == load(Path(name))


def test_resolve_for_a_setting_chooses_every_per_and_fills_in_the_methods_defaults():
    study = load(Path("studies/mutual-information-small.yaml"))
    found = commands.study_in_setting(study, "mnist/lenet5")
    assert found["training_images"] == 4000
    assert found["settings"] == [{"dataset": "mnist", "model": "lenet5"}]
    assert found["pretrain"]["standard"]["optimizer"] == "adam"
    assert found["pretrain"]["standard"]["gamma"] > 0
    assert found["defences"]["adversarial"]["attack"]["restarts"] == 1
    curves = {name: one for name, one in found["diagnostics"].items() if "sweep" in one}
    seen = in_setting(study, found["settings"][0])["diagnostics"]
    assert curves and all(one["sweep"] == seen[name]["sweep"] for name, one in curves.items())


def test_an_unknown_setting_is_named_with_those_that_there_are():
    with pytest.raises(StudyError, match=r"no setting 'mnist/vgg16'; choose from digits/lenet5"):
        commands.study_in_setting(load(Path("params.yaml")), "mnist/vgg16")
