"""``robustinfo judge`` on a file of weights, with all that is said about its network."""

import json
import os
import sys

import pytest
import torch
from typer.testing import CliRunner

from robustinfo.cli import app
from robustinfo.core.errors import UserError
from robustinfo.evaluation import options
from tests.sources.conftest import Small

BUILD = """
from tests.sources.conftest import Small

def answers(images):
    return images.reshape(len(images), -1)[:, :10].argmax(1)
"""


@pytest.fixture
def judge(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(one for one in sys.path if one))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.py").write_text(BUILD)
    torch.manual_seed(0)
    torch.save({"state_dict": Small(width=3).state_dict()}, "best.pt")
    data = ["--data", "{method: digits, size: 8}", "--epsilon", "0.1", "--protocol", "tiny"]
    few = ["--images", "4", "--attacks", "square"]
    return lambda model, *more: CliRunner().invoke(app, ["judge", model, *data, *few, *more])


def test_weights_are_judged_in_the_network_that_is_built_and_the_record_says_how(judge):
    build = ["--build", "mine:Small", "--build-args", "{width: 3}"]
    result = judge(
        "best.pt", *build, "--mean", "0.5", "--std", "0.25", "--twin", "best.pt", "--json"
    )
    found = json.loads(result.stdout)
    assert found["model"]["source"] == "best.pt" and len(found["model"]["sha256"]) == 64
    assert found["model"]["notes"] == ["best.pt reads (x - mean) / std: mean 0.5; std 0.25"]


def test_labels_alone_are_judged_and_are_not_invalid(judge):
    found = json.loads(judge("mine:answers", "--json").stdout)
    assert found["verdict"] == "not enough was tried" or found["verdict"] == "broken"
    (note,) = found["model"]["notes"]
    assert note == "mine:answers is known by its labels alone, and attacked without gradients"


def test_the_lines_to_copy_stand_below_the_error(judge):
    result = judge("best.pt")
    first, *lines = result.stderr.splitlines()
    assert first.startswith("error: best.pt holds 9 tensors") and result.exit_code == 1
    assert lines[0] == "    robustinfo judge best.pt --build mine:Net"


@pytest.mark.parametrize("text", ["{width", "[3]", "3", "{3: 4}", "{day: 2026-11-30}", "[" * 9999])
def test_arguments_that_are_no_mapping_of_names_are_refused(text):
    with pytest.raises(UserError, match=r"--build-args .*write a mapping"):
        options.build_args(text)


@pytest.mark.parametrize("text", ['{"width": 3, "act": "relu"}', "{width: 3, act: relu}"])
def test_arguments_are_json_or_yaml(text):
    assert options.build_args(text) == {"width": 3, "act": "relu"}


def test_mean_and_std_are_a_number_or_one_per_channel():
    assert options.by_channel("0.5", "--mean") == [0.5]
    assert options.by_channel("0.49, 0.48,0.45", "--mean") == [0.49, 0.48, 0.45]
    with pytest.raises(UserError, match=r"--std grey: write 0\.5, or one per channel"):
        options.by_channel("grey", "--std")
