"""Snakemake's linter finds nothing but its two known remarks (CONTRIBUTING.md says why)."""

import re
import subprocess
import sys

KNOWN = {
    "Specify a conda environment or container for each rule.",
    "Shell command directly uses variable STUDY from outside of the rule",
}


def test_the_linter_has_only_its_known_remarks():
    command = [sys.executable, "-m", "snakemake", "--lint"]
    said = subprocess.run(command, capture_output=True, text=True).stderr
    assert set(re.findall(r"^    \* (.*):$", said, re.M)) == KNOWN
