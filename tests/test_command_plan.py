"""``robustinfo plan``: what is asked, by the protocols themselves, and what it takes, measured."""

import json
import subprocess
import sys
from importlib import import_module

import pytest
from typer.testing import CliRunner

from robustinfo.cli import app
from robustinfo.core import checkpoint
from robustinfo.evaluation import protocol
from robustinfo.evaluation.planning import DEVIATIONS, DIFFERENCES, DISCORDANCES
from robustinfo.evaluation.sizes import SIZES
from robustinfo.evaluation.threats import Ball
from robustinfo.maths.statistics import images_to_tell_apart, seeds_to_tell_apart
from tests.checkpoints import untrained

NETWORK = """
import torch

def net():
    print("loading weights ...")
    return torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(64, 10))

def of_width(width):
    flat = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(64, width))
    return torch.nn.Sequential(flat, torch.nn.ReLU(), torch.nn.Linear(width, 10))

def answers(x):
    return x.reshape(len(x), -1)[:, :10]

class Fails(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.network, self.asked = net(), 0

    def forward(self, x):
        self.asked += 1
        if self.asked > 15:
            raise torch.OutOfMemoryError("no room")
        return self.network(x)
"""
DIGITS = ["--data", "{method: digits, size: 8}", "--epsilon", "0.2"]


@pytest.fixture
def plan(tmp_path, monkeypatch):
    (tmp_path / "mine.py").write_text(NETWORK)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("robustinfo.cli.isolated.call", _call)
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.delitem(sys.modules, "mine", raising=False)

    def run(*line):
        return CliRunner().invoke(app, ["plan", *line])

    yield run
    sys.modules.pop("mine", None)


def _call(name, given):
    module, _, function = name.partition(":")
    return getattr(import_module(module), function)(**given)


def data(result):
    return json.loads(result.stdout[result.stdout.index("{") :])


@pytest.mark.parametrize("norm, epsilon", [("linf", 8 / 255), ("l2", 0.5)])
def test_without_a_network_the_passes_of_every_protocol_are_counted(plan, norm, epsilon):
    found = data(plan("--norm", norm, "--json"))
    ball = Ball(norm=norm, epsilon=epsilon)
    assert found["threat"] == ball.model_dump() and found["device"] is None
    for one, size in zip(found["protocols"], SIZES, strict=True):
        cost = protocol.cost(size, ball, 3 * 32 * 32).times(1 / size.images)
        assert (one["protocol"], one["images"]) == (size.name, size.images)
        assert one["passes_per_image"] == {
            "with_gradient": round(cost.gradients), "without": round(cost.queries)
        }  # fmt: skip
        parts = protocol.attacks(size, ball)
        assert one["attacks"].keys() == parts.keys()
        pgd = one["attacks"]["pgd"]
        assert (pgd["steps"], pgd["restarts"]) == (size.steps, size.restarts)
        assert one["attacks"]["square"]["queries"] == size.queries
        assert "seconds" not in one and "memory_mib" not in one


def test_the_parts_add_up_to_the_passes_per_image(plan):
    for one in data(plan("--json"))["protocols"]:
        parts = [*one["attacks"].values(), one["follow_up"], *one["diagnostics"].values()]
        for kind, whole in one["passes_per_image"].items():
            assert sum(part[kind] for part in parts) == pytest.approx(whole, abs=len(parts))


def test_data_without_a_network_give_the_number_of_images(plan):
    images = [one["images"] for one in data(plan(*DIGITS, "--json"))["protocols"]]
    assert images == [min(size.images, 450) for size in SIZES]
    assert {one["images"] for one in data(plan("--images", "7", "--json"))["protocols"]} == {7}


def test_with_a_network_time_and_memory_are_measured(plan):
    found = data(plan("mine:net", *DIGITS, "--device", "cpu", "--json"))
    assert found["device"] == "cpu" and found["model"] == "mine:net"
    seconds = [one["seconds"] for one in found["protocols"]]
    memory = [one["memory_mib"] for one in found["protocols"]]
    assert 0 < seconds[0] < seconds[1] < seconds[2] < seconds[3] < seconds[4]
    assert 100 < memory[0] <= memory[-1]  # torch alone takes that
    assert memory == sorted(memory)


def test_of_a_network_known_by_its_answers_no_gradient_is_timed(plan):
    found = data(plan("mine:answers", *DIGITS, "--device", "cpu", "--json"))
    assert "mine:answers is known by its answers alone: no gradient is asked for" in found["notes"]
    assert found["protocols"][0]["seconds"] > 0


def test_a_network_is_built_and_normalised_as_for_judge(plan):
    weights = ["--build-args", "{width: 7}", "--mean", "0.5", "--std", "0.25"]
    found = data(plan("mine:of_width", *DIGITS, "--device", "cpu", *weights, "--json"))
    assert found["protocols"][0]["seconds"] > 0
    result = plan("mine:of_width", *DIGITS, "--device", "cpu")
    assert result.exit_code == 1 and "width" in result.stderr


def test_a_defence_with_a_term_is_planned_with_the_attack_that_knows_it(plan, tmp_path):
    defence = {"method": "entropic", "loss": {"method": "cross_entropy"}, "weight": 0.1}
    defence["factor"] = 1.7
    for name, of in (("plain", {}), ("entropic", {"defence": defence})):
        checkpoint.save(
            tmp_path / f"{name}.safetensors",
            untrained({"method": "lenet5"}, (1, 28, 28), 10, **of),
        )
    digits = ["--data", "digits", "--epsilon", "0.2", "--json"]
    with_term, without = (
        data(plan(f"{name}.safetensors", *digits))["protocols"][0] for name in ("entropic", "plain")
    )
    assert {*with_term["attacks"]} - {*without["attacks"]} == {"adaptive"}
    assert (
        with_term["passes_per_image"]["with_gradient"]
        > (without["passes_per_image"]["with_gradient"])
    )


def test_for_people_there_are_tables_and_the_way_to_times(plan):
    text = " ".join(plan().stdout.split())
    assert "robustinfo plan MODEL --data digits --epsilon 8/255" in text
    assert "3 x 50" in text and "10 x 100" in text and "1,035" in text and "time on" not in text
    timed = " ".join(plan("mine:net", *DIGITS, "--device", "cpu").stdout.split())
    assert "time on cpu" in timed and "MiB" in timed and "--twin" in timed


def test_the_numbers_of_images_and_seeds_are_those_of_the_statistics(plan):
    found = data(plan("--json"))["to_tell_apart"]
    assert [(row["difference"], row["discordance"], row["images"]) for row in found["images"]] == [
        (d, p, images_to_tell_apart(d, p)) for d in DIFFERENCES for p in DISCORDANCES
    ]
    assert [(row["difference"], row["deviation"], row["seeds"]) for row in found["seeds"]] == [
        (d, s, seeds_to_tell_apart(d, s)) for d in DIFFERENCES for s in DEVIATIONS
    ]


@pytest.mark.parametrize(
    "line, part",
    [
        (["mine:none", *DIGITS], "has no function 'none'"),
        (["mine:Fails", *DIGITS], "mine:Fails cannot be timed: OutOfMemoryError: no room"),
        (["mine:net", "--data", "digits", "--epsilon", "0.2"], "mine:net"),
    ],
)
def test_a_network_that_cannot_be_timed_is_one_line(plan, line, part):
    result = plan(*line)
    assert result.exit_code == 1 and part in result.stderr
    assert result.stderr.splitlines()[-1].startswith("error: ")


def test_standard_output_is_the_plan_alone(tmp_path):
    (tmp_path / "mine.py").write_text(NETWORK)
    line = ["plan", "mine:net", *DIGITS, "--images", "8", "--json"]
    code = f"import sys\nsys.path[:0] = {sys.path}\nfrom robustinfo.cli import app\napp({line})"
    env = {"PYTHONPATH": ":".join(one for one in sys.path if one)}
    ended = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, env=env
    )
    assert ended.returncode == 0, ended.stderr
    assert json.loads(ended.stdout)["device"] and "loading weights" in ended.stderr


ACTIVATIONS = """
import torch
from robustinfo.evaluation.peak_memory import _peak_mib, peaks_mib

class Wide(torch.nn.Module):
    def forward(self, x):
        return x.flatten(1).repeat(1, 1024).tanh()[:, :2]

cpu = torch.device("cpu")
peaks_mib(torch.nn.Flatten(), torch.rand(600, 1, 8, 8), [4], cpu)  # threads, buffers
before = _peak_mib(cpu)
print(peaks_mib(Wide(), torch.rand(600, 1, 8, 8), [4, 600], cpu)[0] - before)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="nobody tells there")
def test_the_peak_grows_by_what_a_whole_batch_keeps_for_its_gradient():
    ended = subprocess.run([sys.executable, "-c", ACTIVATIONS], capture_output=True, text=True)
    kept = 512 * 64 * 1024 * 4 / 2**20  # MiB of a tanh's output; its input and gradient are more
    assert kept <= float(ended.stdout) < 5 * kept, ended.stderr
