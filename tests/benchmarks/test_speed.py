"""The page of speed is made from the newest results, and is as committed."""

import importlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from benchmarks import _machine, speed
from benchmarks._timing import Timed, in_turn, keep, row

CPU = torch.device("cpu")
PROGRAMS = sorted(Path("benchmarks").glob("*.py"))
TIMED = [file.stem for file in PROGRAMS if "benchmarks._timing" in file.read_text()]
GPU_SCRIPT = ["bash", "benchmarks/gpu.sh"]


@pytest.mark.parametrize("name", TIMED)
def test_every_benchmark_of_speed_finds_what_it_imports(name):
    importlib.import_module(f"benchmarks.{name}")


@pytest.mark.docs
def test_the_page_is_as_committed():
    told = "make it again: python -m benchmarks.speed > docs/speed.md"
    assert Path("docs/speed.md").read_text() == speed.page(speed.RESULTS), told


def test_a_row_has_the_ratio_of_each_round_and_the_units_that_were_asked_for():
    ours, theirs = Timed([1.0, 2.0, 4.0], 3.0), Timed([3.0, 2.0, 8.0], None)
    one = row("kernel", ours, "peer", theirs, unit="ms", scale=1e3, goal=2)
    assert one.ours == (2000, 1000, 4000) and one.theirs == (3000, 2000, 8000)
    assert one.ratio == (2, 1, 3) and (one.ours_mib, one.theirs_mib) == (3.0, None)
    assert one.goal == 2 and one.limit is None


def test_loops_take_turns_and_the_first_round_is_not_counted():
    order = []
    loops = {name: lambda name=name: order.append(name) for name in "ab"}
    found = in_turn(loops, 2, CPU)
    assert order == ["a", "b"] * 3
    assert all(len(timed.seconds) == 2 for timed in found.values())
    assert len(in_turn(loops, 1, CPU, warm_up=False)["a"].seconds) == 1


@pytest.mark.skipif(not (_machine.PROC / "clear_refs").exists(), reason="Linux tells of memory")
def test_the_peak_is_what_a_run_holds_at_once_however_much_was_held_before():
    before = torch.ones(2**24)  # 64 MiB
    del before
    assert 60 < _machine.peak_mib(lambda: torch.ones(2**24).sum(), CPU) < 80
    assert _machine.peak_mib(lambda: None, CPU) < 4


def kept(folder, name, kernel):
    timed = Timed([1.0], 2.0)
    keep([row(kernel, timed, "peer", timed, unit="s", scale=1)], {}, CPU, folder / name)


def test_the_page_shows_the_newest_of_each_benchmark_alone(tmp_path, capsys):
    for name, kernel in (
        ("2026-01-01-one", "old"),
        ("2026-02-01-one", "new"),
        ("2026-01-01-gpu-one", "other"),
    ):
        kept(tmp_path, name, kernel)
    keep([], {"only": "details"}, CPU, tmp_path / "2026-03-01-two")
    page = speed.page(tmp_path)
    assert "| new | 1 s | peer: 1 s | **1** (1 to 1) |" in page and "| other |" in page
    assert "| old |" not in page and "two" not in page
    found = json.loads((tmp_path / "2026-02-01-one" / "speed.json").read_text())
    assert {"command", "date", "processor", "versions", "rows", "details"} == set(found)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_without_a_gpu_the_script_says_so_in_a_line_and_fails(tmp_path):
    ended = subprocess.run(
        [*GPU_SCRIPT, "--results", str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"PYTHON": sys.executable},
    )
    assert ended.returncode == 1 and ended.stderr.count("\n") == 1
    assert "no GPU" in ended.stderr and not any(tmp_path.iterdir())


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("made")
    made_data = [sys.executable, "-m", "benchmarks.made_data", str(folder)]
    subprocess.run([*made_data, "--train", "600", "--test", "300"], check=True)
    return folder


@pytest.mark.slow
@pytest.mark.parametrize(
    "name, options",
    [
        ("mutual_information", ["--rounds", "1", "--samples", "200"]),
        ("jacobian", ["--rounds", "1", "--images", "4"]),
        ("entropic_step", ["--rounds", "1", "--steps", "100"]),
        ("judge_speed", ["--width", "2"]),
    ],
)
def test_what_a_gpu_runs_runs_small_on_a_cpu_with_data_that_is_made(name, options, made, tmp_path):
    command = [sys.executable, "-m", f"benchmarks.{name}", *options, "--out", str(tmp_path)]
    environment = os.environ | {"ROBUSTINFO_DATA": str(made)}
    subprocess.run(command, check=True, env=environment, stdout=subprocess.DEVNULL)
    found = json.loads((tmp_path / "speed.json").read_text())
    assert found["details"] and (found["rows"] or name == "judge_speed")
