"""The JSON schema of studies: as the code makes it, and what it lets through and what not."""

import json
from copy import deepcopy
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from pipeline.study.json_schema import text
from pipeline.study.strict_yaml import read

FILE = Path("studies/schema.json")
STUDIES = [Path("params.yaml"), *sorted(Path("studies").glob("*.yaml"))]
STUDIES += sorted(Path("studies/evidence").glob("*.yaml"))


@pytest.fixture(scope="module")
def validator():
    return Draft202012Validator(json.loads(FILE.read_text("utf-8")))


@pytest.mark.docs
def test_the_schema_in_the_repository_is_the_one_that_the_code_makes():
    assert FILE.read_text("utf-8") == text(), "python -m pipeline schema > studies/schema.json"


def test_it_is_a_json_schema(validator):
    validator.check_schema(validator.schema)


@pytest.mark.parametrize("file", STUDIES, ids=str)
def test_every_study_is_valid_by_it(validator, file):
    assert [error.message for error in validator.iter_errors(read(file)[0])] == []


@pytest.mark.parametrize(
    ("key", "value"),
    [
        (("attcks",), {}),
        (("seeds",), [0, "one"]),
        (("seeds",), []),
        (("validation_share",), 1.0),
        (("attacks", "linf_pgd", "method"), "pdg"),
        (("attacks", "linf_pgd", "stepsize"), 0.1),
        (("attacks", "linf_pgd", "norm"), "l3"),
        (("attacks", "linf_pgd", "epsilon"), "1e-3"),
        (("attacks", "linf_pgd", "steps"), 0),
        (("attacks", "linf_pgd", "epsilon"), {"by": {"digits": 0.1}}),
        (("defences", "standard", "loss"), {"method": "crossentropy"}),
        (("defences", "adversarial", "attack", "stepsize"), 0.1),
        (("diagnostics", "epsilon_curve", "sweep"), {"epsilom": [0.1]}),
        (("diagnostics", "epsilon_curve", "sweep"), {"epsilon": [0.1], "steps": [1]}),
        (("pretrain", "standard", "epoch"), 3),
        (("pretrain", "standard", "optimizer"), "adamw"),
        (("selection", "settings"), {}),
        (("figures", "figure-jpeg", "draw"), "pie"),
        (("figures", "figure-jpeg", "rows"), ["defense"]),
        (("claims", "jpeg_20", "comes_to"), "median"),
        (("claims", "jpeg_20", "of", "levels"), 20),
        (("verdict", "twins"), "standard"),
    ],
)  # fmt: skip
def test_a_wrong_key_method_or_value_is_not(validator, key, value):
    study = read(Path("params.yaml"))[0]
    place = study
    for part in key[:-1]:
        place = place.setdefault(part, {})
    place[key[-1]] = value
    assert not validator.is_valid(study)


def test_only_a_study_that_extends_another_may_leave_out_its_seeds_and_settings(validator):
    assert validator.is_valid({"name": "small", "extends": "ib-rar.yaml"})
    whole = read(Path("params.yaml"))[0]
    for section in ("seeds", "settings", "datasets", "models", "defences"):
        study = deepcopy(whole)
        del study[section]
        assert not validator.is_valid(study)


def test_choices_by_setting_sweeps_sizes_and_removals_are_valid(validator):
    attacks = {
        "pgd": {
            "method": "pgd",
            "epsilon": "8/255",
            "step_size": {"per": {"mnist": 0.1}},
            "steps": 9,
        },
        "fgsm": {"per": {"mnist": {"method": "fgsm", "epsilon": 0.3}, "else": None}},
        "square": None,
        "mi_*": None,
    }
    curve = {"method": "attack_accuracy", "sweep": {"epsilon": [0.0, "8/255", 1]}}
    own = {
        "attacks": attacks,
        "diagnostics": {"curve": curve},
        "training_images": {"per": {"a": 1}},
    }
    assert validator.is_valid({"name": "small", "extends": "ib-rar.yaml", **own})
