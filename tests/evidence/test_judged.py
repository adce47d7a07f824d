"""``robustinfo judge`` says of the committed entropic network, its control and the undefended one
what the page says: the page's own commands are run. They need MNIST, which is not downloaded here.
"""

import os
import re
import subprocess
from pathlib import Path

import pytest

from robustinfo.datasets._prepared import data_root

PAGE = Path("docs/findings/entropic-retraining.md")
PRINTED = re.compile(r"^ +(\w+) +([\d.]+)% +[\d.]+% to [\d.]+%", re.MULTILINE)


@pytest.mark.slow
def test_the_page_s_commands_print_what_it_says(tmp_path):
    data = data_root().resolve()
    if not (data / "mnist/test.safetensors").exists():
        pytest.skip(f"there is no MNIST in {data}; set ROBUSTINFO_DATA")
    section = PAGE.read_text(encoding="utf-8").split("## Check it yourself")[1].split("\n## ")[0]
    commands, sentences = section.split("```sh")[1].split("```")
    ran = subprocess.run(
        ["bash", "-c", commands],
        env=os.environ | {"ROBUSTINFO_DATA": str(data)},
        capture_output=True,
        text=True,
    )
    printed = ran.stdout.split("--verbose: every check")[:-1]
    assert len(printed) == 3, ran.stderr
    left_by_pgd = re.findall(r"(\d+) % of", sentences.split("Plain PGD")[1])
    for text, said in zip(printed, left_by_pgd, strict=True):
        leaves = {name: float(percent) for name, percent in PRINTED.findall(text)}
        assert text.lstrip().startswith("broken")
        assert leaves["margin_pgd"] == leaves["autoattack"] == 0
        assert abs(leaves["pgd"] - float(said)) < 2, said  # float32 sums differ by processor
