"""``robustinfo judge`` as a user types it, on networks of their own."""

import json
import sys
from importlib import import_module
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from typer.testing import CliRunner

from robustinfo.cli import app
from robustinfo.core import checkpoint
from robustinfo.evaluation.checks import CHECKS, CLASSES, EXITS, NOT_ENOUGH
from tests.checkpoints import read_tensors, untrained
from tests.evaluation.networks import honest

ENTROPIC = {"method": "entropic", "loss": {"method": "cross_entropy"}, "weight": 0.1, "factor": 1.7}

MODULE = """
import sys
import torch
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

class Fails(torch.nn.Module):  # from some call on, in some way
    def __init__(self, way, calls):
        super().__init__()
        self.network, self.way, self.calls, self.asked = plain(), way, calls, 0

    def forward(self, x):
        self.asked += 1
        if self.asked > self.calls:
            self.way()
        return self.network(x)

def memory():
    raise torch.OutOfMemoryError("no room")

def fails_later():
    return Fails(memory, 60)

def leaves_later():
    return Fails(sys.exit, 60)

def leaves():
    return Fails(sys.exit, 0)

def interrupt():
    raise KeyboardInterrupt

def interrupts():
    return Fails(interrupt, 0)

def half():
    return plain().half()

def brightens():
    return torch.nn.Sequential(Brightens(), plain())

def brightens_a_copy():
    return torch.nn.Sequential(Brightens(copies=True), plain())

class Brightens(torch.nn.Module):
    def __init__(self, copies=False):
        super().__init__()
        self.copies = copies

    def forward(self, x):
        return (x.clone() if self.copies else x).mul_(1.5).clamp_(0, 1)
"""


@pytest.fixture
def judge(tmp_path, monkeypatch):
    (tmp_path / "mine.py").write_text(MODULE)
    for defence in ("standard", "adversarial"):
        weights = honest("digits", defence, 0).model.state_dict()
        contiguous = {name: weight.contiguous() for name, weight in weights.items()}
        save_file(contiguous, tmp_path / f"{defence}.safetensors")
    monkeypatch.chdir(tmp_path)
    # In this process, which knows of that.
    monkeypatch.setattr("robustinfo.cli.isolated.call", lambda name, given: called(name)(**given))
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.delitem(sys.modules, "mine", raising=False)

    def run(model, *options, epsilon="0.15"):
        given = ["judge", model, "--data", "digits", "--epsilon", epsilon, "--protocol", "tiny"]
        return CliRunner().invoke(app, [*given, *options])

    yield run
    sys.modules.pop("mine", None)


def without_seconds(content):
    """Plain data without what a clock said, however deep."""
    if not isinstance(content, dict):
        return content
    return {name: without_seconds(one) for name, one in content.items() if name != "seconds"}


def called(name):
    module, _, function = name.partition(":")
    return getattr(import_module(module), function)


def test_a_plain_network_is_broken_and_the_exit_code_says_so(judge):
    result = judge("mine:plain", "--json")
    found = json.loads(result.stdout)
    assert (
        found["model"]["notes"] == []
        and found["verdict"] == "broken"
        and result.exit_code == EXITS["broken"] == 14
    )
    assert [check["check"] for check in found["checks"]] == [check.name for check in CHECKS]
    of = {check["check"]: check for check in found["checks"]}
    assert of["robust_accuracy"]["result"] == "failed"
    assert of["gain_over_twin"]["result"] == of["twin_robust_accuracy"]["result"] == "not run"
    assert 0.9 < found["clean_accuracy"] <= 1 and found["robust_accuracy"] < 0.1
    assert found["protocol"]["name"] == "tiny" and found["protocol"]["images"] == 64
    attacks = [*found["attacks"].values(), found["follow_up"]]
    union = set().union(*(attack["broken"] for attack in attacks))
    stands = 64 * found["robust_accuracy"]
    assert len(union) == round(64 * found["clean_accuracy"] - stands)


def test_the_smallest_protocol_does_not_say_that_a_defended_network_holds(judge):
    result = judge("mine:defended", "--twin", "mine:plain", "--json")
    found = json.loads(result.stdout)
    assert found["verdict"] == NOT_ENOUGH and result.exit_code == EXITS[NOT_ENOUGH] == 16
    assert "pgd from the twin" in found["attacks"]
    of = {check["check"]: check for check in found["checks"]}
    assert of["autoattack_attacks"]["result"] == of["decision_based_attacks"]["result"] == "failed"
    open_ones = [check for check in found["checks"] if check["result"] == "cannot say"]
    assert open_ones and all(check["low"] <= check["threshold"] for check in open_ones)


def test_what_was_found_of_the_data_is_in_the_json_and_on_standard_error(judge):
    result = judge("mine:plain", "--json")
    data = json.loads(result.stdout)["data"]
    assert [*data["classes"]] == [str(digit) for digit in range(10)] and data["left_out"] == []
    assert "10 classes of the data set" in result.stderr


def test_a_budget_advises_and_decides_nothing(judge):
    """The same command asks the same questions on a machine of any speed."""
    for budget, said in (("0.001s", "the least there is"), ("9999h", "--protocol full")):
        result = judge("mine:plain", "--budget", budget, "--json")
        assert json.loads(result.stdout)["protocol"]["name"] == "tiny"
        assert said in " ".join(result.stderr.split())


def test_every_class_has_an_exit_code_of_its_own_beside_those_of_errors():
    assert set(EXITS) == set(CLASSES)
    assert len({*EXITS.values(), 1, 2}) == len(CLASSES) + 2


@pytest.mark.parametrize(
    "model, options, said",
    [
        ("mine:nothing", [], "nothing"),
        ("mine:broken", [], "weights are missing"),
        ("mine:fails_later", [], "mine:fails_later ended without a verdict: OutOfMemoryError: no"),
        ("mine:leaves_later", [], "mine:leaves_later ended without a verdict: SystemExit"),
        ("mine:leaves", [], "mine:leaves ended without a verdict: SystemExit"),
        ("mine:interrupts", [], "mine:interrupts ended without a verdict: KeyboardInterrupt"),
        ("mine:plain", ["--budget", "soon"], "write a number and s, m or h"),
        ("mine:plain", ["--norm", "l3"], "linf, l2 or l1"),
        ("mine:plain", ["--epsilon", "8/0"], "write a number, as 0.2 or 8/255"),
        ("mine:plain", ["--epsilon", "0"], "above 0"),
        ("mine:plain", ["--norm", "l2", "--epsilon", "100"], "epsilon 100:"),
    ],
)
def test_what_cannot_be_judged_is_an_error_that_says_what_to_do(judge, model, options, said):
    result = judge(model, *options)
    assert result.exit_code == 1
    assert said in " ".join(result.stderr.split())


def test_the_error_of_a_network_names_its_own_file(judge):
    (line,) = judge("mine:fails_later").stderr.splitlines()[-1:]
    assert "mine.py:" in line and "Traceback" not in line


def test_a_network_that_writes_to_its_input_is_judged_as_one_that_copies(judge):
    found = [json.loads(judge(f"mine:{name}", "--json").stdout) for name in COPIES]
    for one in found:
        one |= without_seconds(one)
        for own in ("model", "command", "date", "seconds"):
            del one[own]
    assert found[0] == found[1]


COPIES = ("brightens", "brightens_a_copy")


def test_a_network_in_float16_is_judged_in_float32_and_json_says_so(judge):
    found = json.loads(judge("mine:half", "--json").stdout)
    (note,) = found["model"]["notes"]
    assert note == "mine:half has weights in torch.float16: it is judged in torch.float32"
    assert found["verdict"] == "broken"


@pytest.mark.parametrize("file", ["model.safetensors", "snapshots/epoch_0024.safetensors"])
def test_a_checkpoint_or_snapshot_is_read_once_and_attacked_by_its_own_defence(judge, file):
    """It brings its architecture; the attack that knows the defence is made of the same read."""
    weights = honest("digits", "standard", 0).model.state_dict()
    state = {"pretrained_flow": torch.tensor(1.0)}
    held = untrained({"method": "lenet5"}, (1, 28, 28), 10, ENTROPIC, state)
    checkpoint.save(Path(file), held._replace(weights=weights))
    with read_tensors() as times:
        result = judge(file, "--json")
    found = json.loads(result.stdout)
    assert found["verdict"] == "broken" and "adaptive" in found["attacks"]
    assert set(times.values()) == {1} and {Path(read) for read, _ in times} == {Path(file)}
    assert len(times) == len(weights) + 1
