"""The reference page is the one that the code makes, and all that it names has a meaning."""

from pathlib import Path

import pytest

from pipeline.report.reference import methods, results
from pipeline.report.reference.page import page
from pipeline.run import contract
from pipeline.study import meanings, outline
from pipeline.study import schema as shapes
from pipeline.study.check import load
from pipeline.study.claim import Alike, Claim, Published
from pipeline.study.external import only_trained
from pipeline.study.outline_entries import method_outline
from pipeline.study.slices import KINDS, in_setting
from pipeline.study.target import Paper, Target
from robustinfo.core import registry
from robustinfo.training import augment, loop

FILE = Path("docs/reference.md")
STUDIES = [Path("params.yaml"), *sorted(Path("studies").glob("*.yaml"))]
METHODS = [(kind, name) for kind in methods.FOLDERS for name in registry.names(kind)]
OWN = [
    shapes.Study, shapes.Setting, shapes.Limits, shapes.Transfer, shapes.Distorted,
    shapes.Selection, shapes.Verdict, Target, Paper, Claim, Alike, Published, loop.Config,
    augment.Config,
]  # fmt: skip
# The stages whose rows methods name, and the folders of these.
TOLD_BY = {
    "train": ["defences"], "measure": ["measures", "diagnostics"], "diagnose": ["diagnostics"],
    "learn": ["learning"], "toy": ["toys"],
}  # fmt: skip


@pytest.mark.docs
def test_the_page_in_the_repository_is_the_one_that_the_code_makes():
    told = "make it again: python -m pipeline reference > docs/reference.md"
    assert FILE.read_text("utf-8") == page(), told


def test_it_names_every_section_column_stage_method_and_key():
    text = FILE.read_text("utf-8")
    names = [name for model in OWN for name in model.model_fields]
    names += [*results.COLUMNS, *contract.read_all()]
    names += [key for kind, name in METHODS for key in config(kind, name).model_fields]
    assert [name for name in names if f"| `{name}` |" not in text] == []
    assert [one for one in METHODS if f"\n#### {'/'.join(one)}\n" not in text] == []
    assert set(registry.VERBS) == set(methods.FOLDERS)


def config(kind, name):
    return registry.module(kind, {"method": name}).Config


@pytest.mark.parametrize("model", OWN, ids=lambda model: model.__qualname__)
def test_every_key_of_a_study_has_a_meaning(model):
    assert [name for name, said in meanings.of_settings(model).items() if not said] == []


def test_every_setting_of_every_method_has_a_meaning():
    dumb = {
        f"{kind}/{name}: {key}"
        for kind, name in METHODS
        for key, said in meanings.of_settings(config(kind, name)).items()
        if not said
    }
    assert dumb == set()


def test_every_column_of_the_results_has_a_meaning():
    said = meanings.of_quantities(results.rows)
    assert set(said) == set(results.COLUMNS)


@pytest.mark.parametrize("file", STUDIES, ids=str)
def test_every_quantity_that_an_entry_of_a_study_writes_has_a_meaning(file):
    study, dumb = load(file), set()
    for setting in study["settings"]:
        seen = only_trained(in_setting(study, setting))
        for section, kind in KINDS.items():
            for entry in seen[section].values():
                said = methods.quantities(kind, entry["method"])
                groups = method_outline(kind, entry) if said else []
                names = {name for group in groups for name in group["quantity"]}
                lacking = [one for one in names if not meanings.of_quantity(one, said)]
                dumb |= {f"{kind}/{entry['method']}: {one}" for one in lacking}
    assert dumb == set()


@pytest.mark.parametrize("file", STUDIES, ids=str)
def test_every_quantity_of_the_results_of_a_study_has_a_meaning(file):
    dumb = set()
    for group in outline.of_study(load(file)):
        (stage,) = group["stage"]
        said = meanings.of_quantities(*results.STAGES.get(stage, []))
        for kind in TOLD_BY.get(stage, []):
            for name in registry.names(kind):
                said |= methods.quantities(kind, name)
        said.pop("*", None)  # a term of ib_rar's base, which has a meaning of its own
        lacking = [one for one in group["quantity"] if not meanings.of_quantity(one, said)]
        dumb |= {f"{stage}: {one}" for one in lacking}
    assert dumb == set()


@pytest.mark.parametrize("kind", ["measures", "defences", "diagnostics", "learning", "toys"])
def test_every_method_that_writes_rows_says_what_they_mean(kind):
    assert [name for name in registry.names(kind) if not methods.quantities(kind, name)] == []


def test_a_meaning_is_read_from_a_comment_beside_above_and_inherited():
    said = meanings.of_settings(registry.module("attacks", {"method": "pgd"}).Config)
    assert said["random_start"] == "false: from x"
    assert said["until"].startswith("end: every image takes all steps; fooled")
    assert said["epsilon"] == meanings.COMMON_MEANINGS["epsilon"]


def test_a_quantitys_meaning_goes_on_in_indented_lines_and_a_name_wins_over_a_pattern():
    def told():
        """What it is.

        one, two  the first
            of several
        train/*  a term
        train/loss  their sum
        No quantity, but a sentence.
        """

    said = meanings.of_quantities(told)
    assert said["one"] == said["two"] == "the first of several" and len(said) == 4
    assert meanings.of_quantity("train/clean", said) == "a term"
    assert meanings.of_quantity("train/loss", said) == "their sum"
    assert meanings.of_quantity("three", said) == ""
