"""Every file of a folder says what it is, and has what its contract knows, or others use."""

import ast
from difflib import get_close_matches
from functools import cache
from importlib import import_module
from pathlib import Path

import pytest

from pipeline.study.early import training_of
from robustinfo.core import registry
from robustinfo.core.settings import Settings
from robustinfo.training import loop
from tests.contracts.entries import STUDIES, held

METHODS = [(kind, name) for kind in registry.VERBS for name in registry.names(kind)]


@pytest.mark.parametrize(("kind", "name"), METHODS)
def test_every_file_says_what_it_is_and_has_a_strict_config_and_its_verb(kind, name):
    module = import_module(f"robustinfo.{kind}.{name}")
    assert len(module.__doc__.split()) > 8, "say what it is and where it comes from"
    assert issubclass(module.Config, Settings)
    assert module.Config.model_config["extra"] == "forbid" and module.Config.model_config["strict"]
    assert callable(getattr(module, registry.VERBS[kind]))


@pytest.mark.parametrize("kind", ["attacks", "complexities", "distortions", "measures", "models"])
def test_every_method_is_held_to_its_contract_with_some_numbers(kind):
    """Of defences and diagnostics, those that no study has and that need numbers are not."""
    assert {entry["method"] for entry, _ in held(kind).values()} == {*registry.names(kind)}


@pytest.mark.parametrize("kind", registry.VERBS)
def test_a_contract_has_its_verb_and_an_absent_hook_is_nothing(kind):
    contract = registry.contract(kind)
    assert callable(getattr(contract.Method, registry.VERBS[kind]))
    entry = {"method": registry.names(kind)[0]}
    for name, value in vars(contract.Hooks).items():
        if name.isupper():
            assert name == "READS" or not value, "studies do without it"
        elif name[0] != "_":
            assert value.__doc__, "say when it is called, and what is without it"
            registry.hook(kind, entry, name)


def test_a_name_that_no_contract_has_is_not_looked_for():
    with pytest.raises(AttributeError, match="perpare"):
        registry.hook("defences", {"method": "standard"}, "perpare")


@cache
def uses(file: Path) -> set[str]:
    """Every name that a file reads, imports or takes from a module."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            found.add(node.id)
        elif isinstance(node, ast.Attribute):
            found.add(node.attr)
        elif isinstance(node, ast.ImportFrom):
            found |= {alias.name for alias in node.names}
    return found


def defined(source: str) -> set[str]:
    """The public names that a file makes, not those that it imports."""
    found = set()
    for node in ast.parse(source).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            found |= {one.id for part in targets for one in ast.walk(part) if hasattr(one, "id")}
    return {name for name in found if not name.startswith("_")}


def strange(kind: str, source: str, used: set[str]) -> dict[str, list[str]]:
    """Public names that neither the contract has nor anybody uses, and those meant, perhaps."""
    contract = registry.contract(kind)
    known = {*vars(contract.Method)["__annotations__"], *vars(contract.Method)}
    known |= {*vars(contract.Hooks)}
    names = sorted(defined(source) - known - used)
    return {name: get_close_matches(name, known, 1, 0.5) for name in names}


@pytest.mark.parametrize(("kind", "name"), METHODS)
def test_every_public_name_is_in_the_contract_or_used(kind, name):
    file = Path(f"src/robustinfo/{kind}/{name}.py")
    folders = (Path("src"), Path("pipeline"), Path("benchmarks"))
    used = set().union(*(uses(one) for folder in folders for one in folder.rglob("*.py")))
    assert strange(kind, file.read_text(), used) == {}


@pytest.mark.parametrize(
    ("line", "meant"),
    [
        ("def perpare(model, batches): ...", {"perpare": ["prepare"]}),
        ("SAMESTEPS = True", {"SAMESTEPS": ["SAME_STEPS"]}),
        ("def attack_terms(): ...", {"attack_terms": ["attack_term"]}),
        ("_WEIGHTS = 3", {}),
        ("SAME_STEPS = True", {}),
    ],
)
def test_a_misspelt_hook_is_found(line, meant):
    source = Path("src/robustinfo/defences/standard.py").read_text()
    assert strange("defences", f"{source}\n{line}\n", set()) == meant


@pytest.mark.parametrize("file", STUDIES)
def test_the_training_of_every_defence_is_valid(file):
    study = STUDIES[file]
    for name in study["defences"]:
        loop.Config(**training_of(study, name))


@pytest.mark.parametrize(("kind", "name"), METHODS)
def test_every_file_is_used_by_a_study_or_has_a_test_of_its_own(kind, name):
    used = any(
        entry["method"] == name
        for study in STUDIES.values()
        for entry in study.get(kind, {}).values()
    )
    tested = any(name in file.read_text() for file in Path("tests").rglob("test_*.py"))
    section = f"`{name}: {{method: {name}}}` under `{kind}:` of params.yaml or a file of studies/"
    assert used or tested, f"write {section}, or a test that names {name}"
