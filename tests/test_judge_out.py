"""``robustinfo judge --out``: what is in the folder, and that a killed run goes on from it."""

import json
import os
import shlex
import signal
import subprocess
import sys
import time

import pytest
import torch
from safetensors.torch import save_file

import robustinfo
from robustinfo.core.sealed import unseal
from robustinfo.evaluation.checks import EXITS
from robustinfo.evaluation.images import images
from tests.test_cli import without_seconds

pytestmark = pytest.mark.slow

MODULE = """
import torch
from robustinfo.evaluation.images import images
from tests.test_cli import without_seconds

def net(more=0):
    data = images("{method: digits, size: 8}", split="train", limit=500)
    x = data.images[:].float() / 255
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(64, 10 + more))
    optimiser = torch.optim.Adam(model.parameters(), 0.02)
    for _ in range(100):
        optimiser.zero_grad()
        torch.nn.functional.cross_entropy(model(x), data.labels).backward()
        optimiser.step()
    return model

def abstains():
    return net(1)
"""
TIMES = ("date", "seconds", "command")


@pytest.fixture
def begin(tmp_path, monkeypatch):
    (tmp_path / "mine.py").write_text(MODULE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(one for one in sys.path if one))

    def start(*options, model="mine:net"):
        line = ["judge", model, "--data", "{method: digits, size: 8}", "--epsilon", "0.1"]
        line += ["--protocol", "tiny", "--device", "cpu", *options]
        code = "from robustinfo.cli import app; app()"
        return subprocess.Popen(
            [sys.executable, "-c", code, *line], stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )

    yield start
    sys.modules.pop("mine", None)


def finished(process):
    out, err = process.communicate(timeout=300)
    return process.returncode, out.decode(), err.decode()


def without_times(content):
    return {name: without_seconds(one) for name, one in content.items() if name not in TIMES}


def test_a_killed_command_goes_on_to_the_same_results_and_writes_them(begin, tmp_path):
    code, out, _ = finished(begin("--json"))
    whole = without_times(json.loads(out))
    killed, folder = begin("--out", "judged"), tmp_path / "judged"
    deadline = time.monotonic() + 200
    while not (folder / "adversarial/pgd").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    os.kill(killed.pid, signal.SIGKILL)
    killed.communicate(timeout=60)
    assert (folder / "adversarial/fgsm").exists() and not (folder / "evaluation.json").exists()
    before = {file: file.stat().st_mtime_ns for file in folder.rglob("*.safetensors")}
    code, _, err = finished(begin("--out", "judged"))
    found = json.loads((folder / "evaluation.json").read_text())
    assert code == EXITS[found["verdict"]] and without_times(found) == whole
    assert all(file.stat().st_mtime_ns == when for file, when in before.items())
    assert {"row.tex", "table.tex", "report.html"} <= {file.name for file in folder.iterdir()}
    assert {file.suffix for file in (folder / "figures").iterdir()} == {".svg", ".pdf"}
    assert "100%  " in err and f"wrote {folder.name}/report.html" in err
    # All that repeats it.
    assert shlex.split(found["command"])[-2:] == ["--out", "judged"]
    assert len(found["model"]["sha256"]) == len(found["data"]["sha256"]) == 64
    assert found["seed"] == 0 and found["versions"]["torch"] and found["device"].startswith("cpu")
    # Another evaluation does not mix with it.
    code, _, err = finished(begin("--out", "judged", "--seed", "1"))
    assert code == 1 and "is of another evaluation" in err


def test_the_command_and_a_program_say_the_same(begin, tmp_path, monkeypatch):
    _, out, _ = finished(
        begin("--json", "--attacks", "fgsm,{method: pgd, steps: 7, step_size: 0.03}")
    )
    found = json.loads(out)
    monkeypatch.syspath_prepend(tmp_path)
    data = images("{method: digits, size: 8}", limit=64)
    here = robustinfo.judge(
        "mine:net", data.images, data.labels, epsilon=0.1, protocol="tiny", device="cpu",
        attacks=["fgsm", {"method": "pgd", "steps": 7, "step_size": 0.03}], classes=data.classes,
    )  # fmt: skip
    assert found["images"]["robust"] == here.robust.tolist()
    assert found["attacks"].keys() == here.attacks.keys() == {"fgsm", "pgd"}
    assert found["data"]["sha256"] == here.data_sha256
    assert found["checks"] == here.to_dict()["checks"]


def test_options_reach_the_evaluation(begin, tmp_path):
    x = images("{method: digits, size: 8}", limit=64).images[:].float() / 255
    save_file({"x_adv": 1 - x}, tmp_path / "inverted.safetensors")
    options = ["--json", "--attacks", "fgsm", "--epsilons", "0.02,0.3", "--images", "20"]
    options += ["--adversarial", "inverted.safetensors", "--batch-size", "7"]
    _, out, err = finished(begin(*options))
    found = json.loads(out)
    assert [point["epsilon"] for point in found["curve"]] == [0, 0.02, 0.1, 0.3]
    assert found["n"] == 20 and found["batch_size"] == 7
    assert found["attacks"]["inverted"]["outside"] == 20
    assert not found["attacks"]["inverted"]["broken"]
    code, _, err = finished(begin("--json", model="mine:abstains"))
    assert code == 1 and "--abstain robust" in err
    code, out, _ = finished(begin("--json", "--abstain", "error", model="mine:abstains"))
    assert json.loads(out)["abstain"] == "error" and code != 1


def test_the_same_seed_gives_the_same_bits(begin, tmp_path):
    for folder, seed in (("one", "5"), ("other", "5")):
        finished(begin("--out", folder, "--attacks", "random_search", "--seed", seed))
    file = "adversarial/random_search/000000.safetensors"
    (one, _), (other, _) = (unseal(tmp_path / folder / file) for folder in ("one", "other"))
    assert torch.equal(one["x_adv"], other["x_adv"]) and len(one["x_adv"])
