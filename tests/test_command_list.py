"""``robustinfo list``: the names of what is here, read from the files without importing them."""

import json
import subprocess
import sys
from typing import get_args

import pytest
from typer.testing import CliRunner

from robustinfo.cli import app
from robustinfo.cli.list import KINDS
from robustinfo.core import method_source, registry
from robustinfo.evaluation.checks import CHECKS
from robustinfo.evaluation.sizes import SIZES


def listed(kind):
    return json.loads(CliRunner().invoke(app, ["list", kind, "--json"]).stdout)


@pytest.mark.parametrize("kind", registry.VERBS)
def test_every_method_of_a_folder_has_the_first_line_of_its_docstring(kind):
    rows = {row["name"]: row["what"] for row in listed(kind)}
    assert [*rows] == registry.names(kind)
    for name, what in rows.items():
        docstring = registry.module(kind, {"method": name}).__doc__
        assert docstring.startswith(what) and len(what.split()) > 3


@pytest.mark.parametrize("name", registry.names("attacks"))
def test_role_and_norms_are_those_of_the_imported_attack(name):
    (row,) = (row for row in listed("attacks") if row["name"] == name)
    module = registry.module("attacks", {"method": name})
    assert row["role"] == module.ROLE
    if getattr(module, "READS", "images") == "texts":
        assert row["norms"] == "of texts"
    else:
        norms = get_args(module.Config.model_fields["norm"].annotation)
        assert row["norms"] == ", ".join(norms) != ""


def test_a_field_that_is_nowhere_has_no_type():
    assert method_source.field_type("attacks", "pgd", "nothing") == ""
    assert method_source.constant("attacks", "pgd", "NOTHING") is None


def test_protocols_checks_and_verdicts_are_those_of_the_evaluation():
    assert [tuple(row.values()) for row in listed("protocols")] == [tuple(size) for size in SIZES]
    assert [row["name"] for row in listed("checks")] == [check.name for check in CHECKS]
    assert {row["exit code"] for row in listed("verdicts")} == {0, *range(10, 17)}


@pytest.mark.parametrize("kind", KINDS)
def test_for_people_every_name_stands_in_a_line_of_its_own(kind):
    text = CliRunner().invoke(app, ["list", kind], env={"COLUMNS": "200"}).stdout
    starts = [line.split()[0] for line in text.splitlines()[1:] if not line.startswith(" ")]
    assert {row["name"].split()[0] for row in listed(kind)} <= {*starts}


def test_brackets_are_text():
    text = CliRunner().invoke(app, ["list", "checks"], env={"COLUMNS": "400"}).stdout
    assert "outside the ball or [0, 1]: mend" in text


def test_an_unknown_kind_is_told_the_choices():
    said = CliRunner().invoke(app, ["list", "attack"])
    assert said.exit_code == 1 and said.stdout == ""
    assert said.stderr == (f"error: there is no list of 'attack'; choose from {', '.join(KINDS)}\n")


def test_nothing_slow_is_imported_to_list_or_to_help():
    code = (
        "import sys\nfrom typer.testing import CliRunner\nfrom robustinfo.cli import app\n"
        f"for line in {[['list', kind] for kind in KINDS] + [['--help'], ['--version']]}:\n"
        "    assert CliRunner().invoke(app, line).exit_code == 0, line\n"
        "slow = {'torch', 'pandas', 'matplotlib', 'numpy', 'scipy', 'torchvision', 'foolbox'}\n"
        "assert not slow & {*sys.modules}, slow & {*sys.modules}\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
