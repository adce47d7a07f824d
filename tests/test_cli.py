"""``robustinfo judge`` as a user types it, on networks of their own."""

import json

import pytest
from robustinfo.judging import CLASSES, HOLDS, RULES
from robustinfo.protocols import SIZES
from safetensors.torch import save_file
from typer.testing import CliRunner

from robustinfo.cli import EXITS, app
from tests.judge.networks import honest

MODULE = """
from safetensors.torch import load_file
from robustinfo.models import lenet5

def build(name):
    model = lenet5.build((1, 28, 28), 10, config=lenet5.Config())
    model.load_state_dict(load_file(f"{name}.safetensors"))
    return model

def plain():
    return build("standard")

def defended():
    return build("adversarial")

def broken():
    raise RuntimeError("weights are missing")
"""


@pytest.fixture
def judge(tmp_path, monkeypatch):
    (tmp_path / "mine.py").write_text(MODULE)
    for defence in ("standard", "adversarial"):
        weights = honest("digits", defence, 0).model.state_dict()
        contiguous = {name: weight.contiguous() for name, weight in weights.items()}
        save_file(contiguous, tmp_path / f"{defence}.safetensors")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("robustinfo.budgets.SIZES", SIZES[:1])  # on any machine

    def run(model, *options, epsilon="0.15"):
        given = ["judge", model, "--data", "digits", "--epsilon", epsilon, *options]
        return CliRunner().invoke(app, given)

    return run


def test_a_plain_network_is_broken_and_the_exit_code_says_so(judge):
    result = judge("mine:plain", "--json")
    found = json.loads(result.stdout)
    assert found["verdict"] == "broken" and result.exit_code == EXITS["broken"] == 14
    assert [check["check"] for check in found["checks"]] == [*RULES]
    of = {check["check"]: check for check in found["checks"]}
    assert of["robust_accuracy"]["result"] == "failed"
    assert of["gain_over_twin"]["result"] == of["twin_robust_accuracy"]["result"] == "not run"
    assert 0.9 < found["clean_accuracy"] <= 1 and found["robust_accuracy"] < 0.1
    assert found["protocol"]["name"] == "glance" and found["protocol"]["images"] == 64
    union = set().union(*(attack["broken"] for attack in found["attacks"].values()))
    stands = 64 * found["robust_accuracy"]
    assert len(union) == round(64 * found["clean_accuracy"] - stands)


def test_a_defended_network_holds_beside_its_twin(judge):
    result = judge("mine:defended", "--twin", "mine:plain")
    assert result.exit_code == EXITS[HOLDS] == 0
    assert HOLDS in result.stdout and "pgd from the twin" in result.stdout


def test_every_class_has_an_exit_code_of_its_own_beside_those_of_errors():
    assert set(EXITS) == set(CLASSES)
    assert len({*EXITS.values(), 1, 2}) == len(CLASSES) + 2


@pytest.mark.parametrize(
    "model, options, said",
    [
        ("mine:nothing", [], "nothing"),
        ("mine:broken", [], "weights are missing"),
        ("mine:plain", ["--budget", "soon"], "write a number and s, m or h"),
        ("mine:plain", ["--budget", "0.001s"], "try again with --budget"),
        ("mine:plain", ["--norm", "l1"], "linf or l2"),
        ("mine:plain", ["--epsilon", "8/0"], "write a number, as 0.2 or 8/255"),
        ("mine:plain", ["--epsilon", "0"], "above 0"),
    ],
)
def test_what_cannot_be_judged_is_an_error_that_says_what_to_do(judge, model, options, said):
    result = judge(model, *options)
    assert result.exit_code == 1
    assert said in " ".join(result.stderr.split())
