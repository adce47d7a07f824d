"""``--threat``, several times: the command on a small network, and the plan of all together."""

import json
import sys
from importlib import import_module

import pytest
from typer.testing import CliRunner

from robustinfo.cli import app
from robustinfo.evaluation.checks import CLASSES, EXITS
from tests.test_cli import without_seconds

MODULE = """
import torch

def net():
    torch.manual_seed(0)
    return torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(64, 10))
"""
DATA = ["--data", "{method: digits, size: 8}", "--device", "cpu"]
BOTH = ["--threat", "linf:1/100", "--threat", "L2:0.3"]
QUICK = ["--protocol", "tiny", "--images", "20", "--attacks", "fgsm,pgd"]


@pytest.fixture
def command(tmp_path, monkeypatch):
    (tmp_path / "mine.py").write_text(MODULE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("robustinfo.cli.isolated.call", _call)
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.delitem(sys.modules, "mine", raising=False)
    yield lambda *line: CliRunner().invoke(app, line)
    sys.modules.pop("mine", None)


def _call(name, given):
    module, _, function = name.partition(":")
    return getattr(import_module(module), function)(**json.loads(json.dumps(given)))


def without_times(content):
    """A union without what a clock said, and the commands."""
    kept = without_seconds(content)
    kept["threats"] = {
        norm: {name: value for name, value in one.items() if name not in ("date", "command")}
        for norm, one in kept["threats"].items()
    }
    return kept


def test_how_much_is_printed_is_chosen(command):
    """The accuracies always, reasons and attacks unless quiet, every check if verbose."""
    line = ["judge", "mine:net", *DATA, "--epsilon", "1/100", *QUICK]
    quiet, normal, verbose = (command(*line, *more) for more in (["-q"], [], ["--verbose"]))
    assert len({judged.exit_code for judged in (quiet, normal, verbose)}) == 1
    assert quiet.stderr == "" and "protocol tiny" in normal.stderr
    verdict, threat, accuracies = quiet.stdout.rstrip().split("\n", 2)
    assert "linf 0.01, 20 images" in threat and "robust accuracy" in accuracies
    for judged in (normal, verbose):
        assert judged.stdout.startswith(f"{verdict}\n{threat}\n")
        assert "leaves by itself" in judged.stdout
    passed = "nonfinite_fraction"  # a check that this network passes
    assert passed in verbose.stdout and passed not in normal.stdout
    assert "robust_accuracy" in verbose.stdout and "…" not in verbose.stdout
    both = command(*line, "--quiet", "--verbose")
    assert both.exit_code == 1


def test_the_union_of_a_command_is_in_json_folder_and_exit_code(command, tmp_path):
    judged = command("judge", "mine:net", *DATA, *BOTH, *QUICK, "--json", "--out", "judged")
    found = json.loads(judged.stdout)
    assert [*found["threats"]] == ["linf", "l2"]
    assert [one["threat"]["epsilon"] for one in found["threats"].values()] == [0.01, 0.3]
    classes = [one["verdict"] for one in found["threats"].values()]
    assert found["verdict"] == min(classes, key=CLASSES.index)
    assert judged.exit_code == EXITS[found["verdict"]]
    of_each = [one["images"]["robust"] for one in found["threats"].values()]
    assert found["images"]["robust"] == [all(pair) for pair in zip(*of_each, strict=True)]
    assert found["n"] == 20 and found == json.loads((tmp_path / "judged/union.json").read_text())
    assert "wrote judged/union.json" in judged.stderr and "wrote judged/l2/report" in judged.stderr
    # The same norm by itself, and the same command again.
    alone = command(
        "judge", "mine:net", *DATA, *QUICK, "--json", "--norm", "l2", "--epsilon", "0.3"
    )
    assert json.loads(alone.stdout)["images"] == found["threats"]["l2"]["images"]
    again = command("judge", "mine:net", *DATA, *BOTH, *QUICK, "--json", "--out", "judged")
    assert without_times(json.loads(again.stdout)) == without_times(found)
    said = command("judge", "mine:net", *DATA, *BOTH, *QUICK, "--out", "judged")
    text = " ".join(said.stdout.split())
    assert "union of linf 0.01 and l2 0.3, 20 images, protocol tiny (1 of 5)" in text
    assert f"{found['robust_accuracy']:.1%}" in text and said.exit_code == judged.exit_code
    assert text.count("autoattack_attacks") >= 2  # each evaluation is printed, too


def test_a_union_of_one_has_the_form_of_a_union(command):
    judged = command("judge", "mine:net", *DATA, *QUICK, "--json", "--threat", "linf:0.01")
    found = json.loads(judged.stdout)
    assert [*found["threats"]] == ["linf"]
    assert found["robust_accuracy"] == found["threats"]["linf"]["robust_accuracy"]


NEED = [
    ([], "no threat model is named: write --epsilon 8/255, or --threat linf:8/255 --threat"),
    (["--threat", "linf:0.1", "--epsilon", "0.1"], "leave out --norm and --epsilon"),
    (["--threat", "linf:0.1", "--norm", "linf"], "leave out --norm and --epsilon"),
    (["--threat", "linf"], "--threat linf: write a norm and its epsilon, as --threat linf:8/255"),
    (["--threat", "linf:0.1", "--threat", "inf:0.2"], "linf is named twice"),
    (["--threat", "l9:0.1"], "--norm l9: it is "),
    (["--threat", "linf:8"], "did you mean 8/255?"),
    (["--threat", "l2:half"], "--epsilon half: write a number"),
    ([*BOTH, "--epsilons", "0.1,0.2"], "epsilons of a curve are of one norm"),
    (["--threat", "linf:0.01", "--threat", "l2:9"], "epsilon 9: no two images"),
]


@pytest.mark.parametrize("line, said", NEED)
def test_a_threat_model_that_is_none_is_one_line(command, line, said):
    result = command("judge", "mine:net", *DATA, *QUICK, *line)
    assert result.exit_code == 1 and result.stdout == ""
    error = result.stderr.splitlines()[-1]
    assert error.startswith("error: ") and said in " ".join(result.stderr.split())


def test_a_plan_says_what_all_threat_models_take_together(command):
    def plan(*line):
        return json.loads(command("plan", *line, "--json").stdout)

    linf, l2 = plan("--norm", "linf", "--epsilon", "1/100"), plan("--norm", "l2")
    both = plan("--threat", "linf:0.01", "--threat", "l2:0.5")
    assert both["threats"] == [{"norm": "linf", "epsilon": 0.01}, {"norm": "l2", "epsilon": 0.5}]
    for whole, *parts in zip(both["protocols"], linf["protocols"], l2["protocols"], strict=True):
        for of in ("passes_per_image", "remedies", "follow_up"):
            for kind, passes in whole[of].items():
                assert passes == sum(part[of][kind] for part in parts)
        names = [f"linf {n}" for n in parts[0]["attacks"]] + [
            f"l2 {n}" for n in parts[1]["attacks"]
        ]
        assert [*whole["attacks"]] == names
        assert whole["images"] == parts[0]["images"] == parts[1]["images"]
    text = " ".join(command("plan", *BOTH).stdout.split())
    assert "linf 0.01 and l2 0.3 together, passes per image" in text and "l2 pgd" in text


def test_the_time_of_a_plan_is_that_of_all_threat_models(command):
    timed = command("plan", "mine:net", *DATA, *BOTH, "--images", "20", "--json")
    found = json.loads(timed.stdout)
    assert [one["norm"] for one in found["threats"]] == ["linf", "l2"] and found["device"] == "cpu"
    assert all(one["seconds"] > 0 for one in found["protocols"])
