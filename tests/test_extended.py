"""A study that extends another: what is merged, replaced, removed and refused."""

from pathlib import Path

import pytest

from pipeline.study.check import load
from pipeline.study.extends import read_study
from pipeline.study.strict_yaml import StudyError

PARENT = """\
name: parent
seeds: [0, 1, 2]
attacks:
  pgd: {method: pgd, epsilon: 0.3, steps: 40}
  fgsm: {method: fgsm, epsilon: 0.3}
pretrain:
  standard: {epochs: {per: {mnist: 24, cifar10: 50}}, batch_size: 64}
figures:
  figure-4-stl10-input: {title: one}
  figure-4-stl10-label: {title: two}
  figure-5: {title: three}
evaluation_images: 1000
"""


def heir(folder: Path, text: str, parent: str = PARENT) -> tuple[dict, dict]:
    (folder / "parent.yaml").write_text(parent)
    (folder / "heir.yaml").write_text("extends: parent.yaml\nname: heir\n" + text)
    return read_study(folder / "heir.yaml")


def test_mappings_merge_key_by_key_and_anything_else_replaces(tmp_path):
    content, _ = heir(tmp_path, "seeds: [0]\nattacks:\n  pgd: {steps: 10}\n")
    assert content["name"] == "heir"
    assert content["seeds"] == [0]
    assert content["attacks"]["pgd"] == {"method": "pgd", "epsilon": 0.3, "steps": 10}
    assert content["attacks"]["fgsm"] == {"method": "fgsm", "epsilon": 0.3}
    assert "extends" not in content


def test_choices_by_setting_merge_and_a_plain_value_replaces_them(tmp_path):
    text = "pretrain:\n  standard: {epochs: {per: {mnist: 4}}}\n"
    content, _ = heir(tmp_path, text)
    assert content["pretrain"]["standard"]["epochs"] == {"per": {"mnist": 4, "cifar10": 50}}
    content, _ = heir(tmp_path, "pretrain:\n  standard: {epochs: 3}\n")
    assert content["pretrain"]["standard"] == {"epochs": 3, "batch_size": 64}
    content, _ = heir(tmp_path, "pretrain:\n  standard: {batch_size: {per: {mnist: 8}}}\n")
    assert content["pretrain"]["standard"]["batch_size"] == {"per": {"mnist": 8}}


def test_an_entry_with_another_method_shares_nothing_with_the_old(tmp_path):
    content, _ = heir(tmp_path, "attacks:\n  pgd: {method: bim, epsilon: 0.1}\n")
    assert content["attacks"]["pgd"] == {"method": "bim", "epsilon": 0.1}


def test_null_removes_entries_by_name_or_pattern_and_elsewhere_is_a_value(tmp_path):
    text = "attacks: {fgsm: null}\nfigures: {figure-4-stl10-*: null}\nevaluation_images: null\n"
    content, _ = heir(tmp_path, text)
    assert set(content["attacks"]) == {"pgd"}
    assert set(content["figures"]) == {"figure-5"}
    assert content["evaluation_images"] is None


def test_a_section_that_no_file_has_is_empty(tmp_path):
    content, _ = heir(tmp_path, "")
    assert content["transfers"] == []
    assert content["toys"] == {}
    assert content["training_images"] is None


def test_a_key_that_a_section_leaves_out_is_filled_in_as_in_a_choice_by_setting(tmp_path):
    text = "distorted: {measures: [kde]}\nthreat: {per: {mnist: {l2: 1}, else: null}}\n"
    content, _ = heir(tmp_path, text)
    assert content["distorted"] == {"inputs": ["clean"], "measures": ["kde"]}
    of_mnist = {"linf": None, "l2": 1, "l1": None}
    assert content["threat"] == {"per": {"mnist": of_mnist, "else": None}}
    assert content["selection"]["settings"] == []


def test_a_study_that_says_what_it_trains_on_what_and_nothing_else_is_a_study(tmp_path):
    (tmp_path / "least.yaml").write_text(
        "name: least\nseeds: [0]\nsettings: [{dataset: digits, model: lenet5}]\n"
        "datasets: {digits: {method: digits}}\nmodels: {lenet5: {method: lenet5}}\n"
        "defences: {standard: {method: standard, loss: {method: cross_entropy}}}\n"
        "pretrain: {standard: {epochs: 1, batch_size: 9, learning_rate: 0.1, snapshot_every: 1}}\n"
    )
    assert load(tmp_path / "least.yaml")["verdict"] == {"twin": "standard"}


@pytest.mark.parametrize("name", ["name", "seeds", "settings", "datasets", "models", "defences"])
def test_what_has_no_default_is_named(tmp_path, name):
    own = {key: [] for key in ("seeds", "settings")} | {"name": "x"}
    own |= {key: {} for key in ("datasets", "models", "defences")}
    del own[name]
    (tmp_path / "study.yaml").write_text("".join(f"{key}: {own[key]}\n" for key in own))
    with pytest.raises(StudyError, match=rf"study\.yaml:1: {name}: is missing"):
        load(tmp_path / "study.yaml")


def test_every_key_knows_its_file_and_line(tmp_path):
    _, places = heir(tmp_path, "attacks:\n  pgd: {steps: 10}\n")
    assert places["attacks", "pgd", "steps"] == (tmp_path / "heir.yaml", 4)
    assert places["attacks", "pgd", "epsilon"] == (tmp_path / "parent.yaml", 4)


def test_what_is_inherited_twice_is_merged_twice(tmp_path):
    (tmp_path / "grandparent.yaml").write_text(PARENT)
    parent = "extends: grandparent.yaml\nname: parent\nattacks:\n  pgd: {steps: 20}\n"
    content, places = heir(tmp_path, "attacks:\n  pgd: {epsilon: 0.1}\n", parent)
    assert content["attacks"]["pgd"] == {"method": "pgd", "epsilon": 0.1, "steps": 20}
    assert places["seeds",] == (tmp_path / "grandparent.yaml", 2)


def test_the_parent_stays_as_it_is(tmp_path):
    heir(tmp_path, "attacks:\n  pgd: {steps: 10}\n  fgsm: null\n")
    assert read_study(tmp_path / "parent.yaml")[0]["attacks"]["pgd"]["steps"] == 40
    assert "fgsm" in read_study(tmp_path / "parent.yaml")[0]["attacks"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("extends: other.yaml\nname: x\n", r"heir\.yaml:1: extends: there is no .*other\.yaml"),
        ("extends: [parent.yaml]\nname: x\n", r"heir\.yaml:1: extends: names one study file"),
        ("extends: heir.yaml\nname: x\n", r"heir\.yaml:1: extends: heir\.yaml extends this study"),
        ("extends: parent.yaml\n", r"heir\.yaml:1: name: is missing; results are stored by it"),
        ("extends: parent.yaml\nname: x\nattacks: {pdg: null}\n",
         r"heir\.yaml:3: attacks\.pdg: null removes what is inherited; .*no such entry"),
        ("extends: parent.yaml\nname: x\ntoys: {xor: null}\n", r"heir\.yaml:3: toys\.xor: null"),
    ],
)  # fmt: skip
def test_what_cannot_be_inherited_is_refused_with_file_and_line(tmp_path, text, said):
    (tmp_path / "parent.yaml").write_text(PARENT)
    (tmp_path / "heir.yaml").write_text(text)
    with pytest.raises(StudyError, match=said):
        read_study(tmp_path / "heir.yaml")


def test_studies_that_extend_each_other_are_refused(tmp_path):
    (tmp_path / "one.yaml").write_text("extends: two.yaml\nname: one\n")
    (tmp_path / "two.yaml").write_text("extends: one.yaml\nname: two\n")
    with pytest.raises(StudyError, match=r"two\.yaml:1: extends: one\.yaml extends this study"):
        read_study(tmp_path / "one.yaml")


def test_an_error_in_what_is_inherited_names_both_files(tmp_path):
    (tmp_path / "parent.yaml").write_text(Path("params.yaml").read_text())
    text = "extends: parent.yaml\nname: heir\nattacks: {square: null}\n"
    (tmp_path / "heir.yaml").write_text(text)
    said = r"parent\.yaml:\d+: tables\..*no 'square'.*\(inherited by .*heir\.yaml\)"
    with pytest.raises(StudyError, match=said):
        load(tmp_path / "heir.yaml")
