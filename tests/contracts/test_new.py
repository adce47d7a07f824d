"""``python -m pipeline new KIND NAME``: a file that keeps its contract as it is."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.study import new
from robustinfo.core.errors import UserError

KEPT = ("src", "pipeline", "tests", "studies", "params.yaml", "pyproject.toml")


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    """The project, without results."""
    folder = tmp_path_factory.mktemp("copy")
    for name in KEPT:
        whole = shutil.copytree if Path(name).is_dir() else shutil.copy
        whole(name, folder / name)
    return folder


def run(copy, *words):
    path = os.pathsep.join([str(copy / "src"), str(copy)])
    return subprocess.run(
        [sys.executable, "-m", *words],
        cwd=copy,
        env=os.environ | {"PYTHONPATH": path},
        capture_output=True,
        text=True,
    )


def test_the_command_says_what_it_wrote_and_what_comes_next(copy):
    made = run(copy, "pipeline", "new", "measure", "spread")
    assert made.returncode == 0, made.stderr
    assert made.stdout.startswith("src/robustinfo/measures/spread.py is there")
    assert "  spread: {method: spread}    # under `measures:`\n" in made.stdout
    assert "python -m pytest tests/contracts -k spread\n" in made.stdout


@pytest.mark.parametrize(
    ("kind", "line", "section"),
    [
        ("defence", f"mine: {{{new.TRAINED}}}", "pretrain"),
        ("dataset", "- {dataset: mine, model: lenet5}", "settings"),
        ("model", "- {dataset: digits, model: mine}", "settings"),
    ],
)
def test_a_second_line_that_a_study_needs_is_printed(kind, line, section):
    assert f"  {line}    # under `{section}:`" in new.KINDS[kind].entry.format(name="mine")


def test_what_is_written_for_every_kind_keeps_its_contract_and_the_houses_rules(copy):
    for kind in new.KINDS:
        file = new.write(kind, f"brand_new_{kind}".ljust(40, "x"), copy)
        assert "TEMPLATE" not in file.read_text()
    # Whether a study has it is asked, too: of what nobody uses yet it is no.
    asked = (
        "tests/contracts",
        "tests/test_floors.py",
        "-k",
        "(brand_new or imports_go_down) and not is_used",
    )
    held = run(copy, "pytest", "-vv", "-p", "no:cacheprovider", *asked)
    assert held.returncode == 0, held.stdout[-3000:]
    for kind in new.KINDS:
        promised = "leaves_it_alone" if kind == "figure" else "keeps_its_promises"
        assert f"{promised}[{f'brand_new_{kind}'.ljust(40, 'x')}] PASSED" in held.stdout
    checked = run(copy, "ruff", "check", "src", "pipeline")
    assert checked.returncode == 0, checked.stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "usage: python -m pipeline new KIND NAME; a kind is one of attack, defence"),
        (["atack", "mine"], "no kind 'atack'; did you mean `attack`? choose from attack"),
        (["attack", "My-attack"], "'My-attack' names no file; write up to 40 small letters"),
        (["attack", "../mine"], "names no file"),
        (["attack", "lambda"], "names no file"),
        (["attack", "a" * 41], "names no file"),
        (["attack", "pgd"], "src/robustinfo/attacks/pgd.py is there already; take another name"),
    ],
)
def test_what_cannot_be_written_is_one_line(words, said):
    with pytest.raises(UserError) as raised:
        new.main(words)
    assert said in str(raised.value) and "\n" not in str(raised.value)


def test_outside_of_the_project_nothing_is_written(tmp_path):
    with pytest.raises(UserError, match="run it in the folder of the project"):
        new.write("attack", "mine", tmp_path)
    assert [*tmp_path.iterdir()] == []
