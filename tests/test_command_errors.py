"""A wrong option is one line on standard error that says what and why, and never a traceback."""

import os
import subprocess
import sys
from importlib import import_module
from importlib.metadata import version

import pytest
from PIL import Image
from typer.testing import CliRunner

from robustinfo.cli import app
from robustinfo.core.errors import UserError, one_line
from robustinfo.evaluation import options

NETWORK = """
from torch import nn

def net():
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 2))
"""
RIGHT = {"--data": "photos", "--epsilon": "0.1", "--protocol": "tiny"}
# option, what is written, part of the line, exit code; None: the option without its value
WRONG = [
    ("--epsilon", "half", "--epsilon half: write a number, as 0.2 or 8/255", 1),
    ("--epsilon", "nan", "--epsilon nan: pixels are in [0, 1], so it is above 0, and finite", 1),
    ("--epsilon", "-0.1", "above 0", 1),
    ("--epsilon", "1e400", "finite", 1),
    ("--epsilon", "8", "did you mean 8/255?", 1),
    ("--epsilon", "8/0", "write a number", 1),
    ("--epsilon", "9" * 5000, "--epsilon 999", 1),
    ("--epsilon", None, "requires an argument", 2),
    ("--norm", "l3", "--norm l3: it is linf, l2 or l1", 1),
    ("--images", "0", "'--images'", 2),
    ("--images", "many", "'--images'", 2),
    ("--seed", "-1", "'--seed'", 2),
    ("--seed", str(2**63), "'--seed'", 2),
    ("--seed", "9" * 5000, "'--seed'", 2),
    ("--size", "0", "'--size'", 2),
    ("--size", "1000000", "give a smaller --size", 1),
    ("--device", "tpu", "--device tpu: there is none (", 1),
    ("--device", "cuda:-1", "--device cuda:-1: there is none (", 1),  # no emoji
    ("--device", "xla", "--device xla: there is none (", 1),
    ("--device", "meta", "--device meta: there is none (", 1),
    ("--budget", "5", "--budget 5: write a number and s, m or h, as 20m", 1),
    ("--protocol", "huge", "--protocol huge: choose from tiny, small", 1),
    ("--data", "nothing", "no method 'nothing'; datasets/ has cifar10", 1),
    ("--data", "", "is no entry of datasets/", 1),
    ("--data", "[" * 3000, "is not YAML", 1),
    ("--data", "{method: digits, size: " + "9" * 5000 + "}", "is not YAML", 1),
    ("--data", "{method: \x1b}", "is not YAML", 1),
    ("--data", "{method: digits, size: -1}", "the numbers of digits are: size", 1),
    ("--classes", "nowhere.txt", "nowhere.txt does not name classes: ", 1),
    ("--classes", "photos", "photos is no file; name one with a line per class, or JSON", 1),
    ("--classes", "pipe", "pipe is no file", 1),
    ("--classes", "/dev/zero", "/dev/zero is no file", 1),
    ("--classes", "mine.py", "photos has 2 folders that mine.py does not name", 1),
    ("--nonsense", "1", "No such option: --nonsense", 2),
]


@pytest.fixture
def said(tmp_path, monkeypatch):
    """What the command says, in this process: (standard error, exit code)."""
    (tmp_path / "mine.py").write_text(NETWORK)
    for label in ("a", "b"):
        (tmp_path / "photos" / label).mkdir(parents=True)
        Image.new("L", (8, 8)).save(tmp_path / "photos" / label / "1.png")
    os.mkfifo(tmp_path / "pipe")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.delitem(sys.modules, "mine", raising=False)
    monkeypatch.setattr("robustinfo.cli.isolated.call", _call)

    def run(*line):
        result = CliRunner().invoke(app, line)
        assert isinstance(result.exception, SystemExit), result.exception
        assert result.stdout == ""
        return result.stderr, result.exit_code

    yield run
    sys.modules.pop("mine", None)


def _call(name, given):
    module, _, function = name.partition(":")
    return getattr(import_module(module), function)(**given)


@pytest.mark.parametrize("option, value, part, status", WRONG)
def test_a_wrong_value_is_one_line(said, option, value, part, status):
    given = RIGHT | {option: value}
    line = [text for pair in given.items() for text in pair if text is not None]
    if value is None:
        line = [*line[: line.index(option)], *line[line.index(option) + 1 :], option]
    error, code = said("judge", "mine:net", *line)
    assert code == status and part in error
    assert error.startswith("error: ") and error.count("\n") == 1 and error[:-1].isprintable()


@pytest.mark.parametrize(
    "line, part, status",
    [
        (["judge"], "Missing argument", 2),
        (["judge", "mine:net"], "Missing option", 2),
        (["jugde"], "No such command 'jugde'", 2),
        (["plan", "mine:net"], "next: robustinfo plan mine:net --data digits --epsilon 8/255", 1),
        (["plan", "--norm", "l3"], "--norm l3: it is linf, l2 or l1", 1),
        (["plan", "--epsilon", "3", "--norm", "linf"], "did you mean 3/255?", 1),
        (["plan", "--epsilon", "80", "--norm", "l2"], "--epsilon 80: no two images", 1),
        (["plan", "--data", "nothing"], "no method 'nothing'", 1),
        (["plan", "--images", "0"], "'--images'", 2),
    ],
)
def test_a_wrong_command_is_one_line(said, line, part, status):
    error, code = said(*line)
    assert code == status and part in error and error.count("\n") == 1


@pytest.mark.parametrize(
    "text", ["linf", "Linf", "LINF", "l_inf", "L_inf", "inf", "l2", "L2", "l_2", "2", "L1", "1"]
)
def test_a_norm_may_be_written_as_others_write_it(text):
    assert options.norm(text) == {"1": "l1", "2": "l2", "f": "linf"}[text.lower()[-1]]


@pytest.mark.parametrize("text", ["", "l", "l3", "0", "linf2", "infinity", "l2l"])
def test_another_norm_is_none(text):
    with pytest.raises(UserError, match="it is linf, l2 or l1"):
        options.norm(text)


def test_one_line_escapes_what_is_not_printable():
    assert one_line("a\n b\t\x1b[31m\udcff:-1:é") == "a b \\x1b[31m\\udcff:-1:é"


def test_the_version_is_printed():
    result = CliRunner().invoke(app, ["--version"])
    assert result.exit_code == 0 and result.stdout == f"robustinfo {version('robustinfo')}\n"


def test_without_a_command_the_help_is_printed():
    result = CliRunner().invoke(app, [])
    assert result.exit_code == 0
    assert all(f" {name} " in result.stdout for name in ("judge", "plan", "list"))


def test_the_shell_completes_commands():
    start = "from robustinfo.cli import app; app(prog_name='robustinfo')"
    words = {
        "_ROBUSTINFO_COMPLETE": "complete_bash",
        "COMP_WORDS": "robustinfo ",
        "COMP_CWORD": "1",
    }
    found = subprocess.run(
        [sys.executable, "-c", start], env=os.environ | words, capture_output=True, text=True
    )
    assert found.stdout.split() == ["judge", "plan", "list"], found.stderr


def test_options_that_are_named_here_are_those_of_the_command():
    shown = CliRunner().invoke(app, ["judge", "--help"], env={"COLUMNS": "200"}).stdout
    named = {option for option, *_ in WRONG} - {"--nonsense"}
    assert named and all(option in shown for option in named)
