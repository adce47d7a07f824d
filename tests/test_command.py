"""``robustinfo`` as a shell starts it: what it writes where, and how it ends."""

import json
import signal
import subprocess
import sys

import pytest

from robustinfo.evaluation.checks import EXITS
from tests.test_isolated import gone, written

SMALL = """
import atexit, os, sys, time
import torch

print("imported")

class Net(torch.nn.Sequential):
    def forward(self, x):
        print("asked \u2264")
        return super().forward(x)

def linear(kind=torch.nn.Sequential):
    print("loading weights ...")
    os.write(1, b"from below")
    atexit.register(print, "done")
    torch.manual_seed(0)
    return kind(torch.nn.Flatten(), torch.nn.Linear(64, 10))

def loud():
    return linear(Net)

def forks():
    if os.fork() == 0:
        return linear()
    os.wait()
    return linear()

def leaves():
    os._exit(0)

def waits():
    with open("pids", "w") as file:
        file.write(f"{os.getpid()}\\n")
    time.sleep(60)
"""


@pytest.fixture
def command(tmp_path, monkeypatch):
    """The command itself, on a network of the smallest kind."""
    (tmp_path / "small.py").write_text(SMALL)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", ":".join(one for one in sys.path if one))

    def begin(model, *options):
        line = ["judge", model, "--data", "{method: digits, size: 8}", "--epsilon", "0.1"]
        start = "from robustinfo.cli import app; app()"
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        return subprocess.Popen([sys.executable, "-c", start, *line, *options], **pipes)

    return begin


@pytest.mark.parametrize("name, encoding", [("loud", "ascii"), ("forks", "utf-8")])
def test_standard_output_is_json_whatever_the_network_writes(command, monkeypatch, name, encoding):
    monkeypatch.setenv("PYTHONIOENCODING", encoding)
    process = command(f"small:{name}", "--json", "--protocol", "tiny")
    out, err = process.communicate(timeout=300)
    assert process.returncode == EXITS[json.loads(out)["verdict"]]
    for text in (b"imported", b"loading weights", b"from below", b"done"):
        assert text in err


def test_a_verdict_in_words_holds_on_paper_that_knows_ascii_alone(command, monkeypatch):
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    process = command("small:linear", "--images", "300", "--attacks", "fgsm")
    out, _ = process.communicate(timeout=300)
    assert b"invalid" in out and b"<= 0" in out and b"clean_accuracy" in out


def test_a_process_that_leaves_with_0_is_no_verdict(command):
    process = command("small:leaves", "--json")
    out, err = process.communicate(timeout=60)
    assert process.returncode == 1 and out == b""
    assert b"error: small:leaves ended without a verdict" in err


def test_an_interrupt_ends_all_with_130(command, tmp_path):
    process = command("small:waits")
    pids = written(tmp_path / "pids")
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode == 130 and gone(pids)


def test_help_and_wrong_options_do_not_import_torch():
    code = (
        "import sys\nfrom typer.testing import CliRunner\nfrom robustinfo.cli import app\n"
        "run = CliRunner().invoke\n"
        "assert run(app, ['judge', '--help']).exit_code == 0\n"
        "assert run(app, ['judge', 'a:b', '--data', 'x', '--epsilon', '7']).exit_code == 1\n"
        "assert 'torch' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
