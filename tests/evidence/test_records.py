"""The committed evidence, the list that it is of, and what of its runner trains nothing."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from pipeline.evidence import fingerprint, gather, page, plan, records, steps, unfinished
from pipeline.evidence.units import RECORDS, RUN, Unit
from pipeline.run import resuming
from pipeline.run.plan import Plan
from pipeline.study.check import load
from pipeline.study.slices import in_setting
from pipeline.study.strict_yaml import StudyError
from robustinfo.core import checkpoint

UNIT = Unit("i", "f", "s", "mnist", "pytorch_cnn", "entm", "0", 1.0, ())


def test_every_unit_of_the_list_can_be_made_in_this_order():
    made = set()
    for unit in plan.units():
        assert {unit.of(defence).name for defence in unit.needs} <= made, unit.name
        made.add(unit.name)
    assert len({unit.item for unit in plan.units()}) == len(plan.items())


@pytest.mark.docs
def test_the_page_is_that_of_the_records_but_for_what_changed_since_it_was_made():
    """Whoever edits a program makes units older than it; the page says so when it is made again."""
    now, then = (lasting(text) for text in (page.text(), page.FILE.read_text()))
    assert then == now, "python -m pipeline evidence page"


def lasting(text):
    """The page without the last column of its tables, ``older than``."""
    return [one.rsplit(" | ", 1)[0] if one.startswith("|") else one for one in text.splitlines()]


def test_what_is_committed_is_as_it_was_finished_and_within_the_budget():
    finished = [unit for unit in plan.units() if unit.is_finished]
    assert all(records.read(unit)["unit"] == unit.name for unit in finished)
    sizes = [file.stat().st_size for file in RECORDS.rglob("*.safetensors")]
    assert sum(sizes) <= records.BUDGET == 6_000_000


def test_every_committed_network_can_be_judged():
    files = [*RECORDS.rglob("model.safetensors")]
    assert len(files) >= 5
    for file in files:
        found = checkpoint.load(file)
        logits = checkpoint.network(found)(torch.zeros(2, *found.shape))
        assert logits.shape == (2, found.classes), file


LIST = """
items:
  one:
    because: It is tested.
    study: {study}
    units:
      - {{dataset: {dataset}, model: {model}, defences: [{defence}], seeds: [{seed}], hours: 1.0}}
"""
RIGHT = {"study": "studies/ib-rar.yaml", "dataset": "cifar10", "model": "vgg16"}
RIGHT |= {"defence": "standard", "seed": "0"}


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"seed": "7"}, "items.one.units.0.seeds: studies/ib-rar.yaml has no seed 7"),
        ({"seed": "0, 0"}, "s: ib-rar/cifar10/vgg16/standard/0 is also of item one"),
        ({"defence": "vib"}, "items.one.units.0.defences: studies/ib-rar.yaml has no vib there"),
        ({"defence": "pgd_ib"}, "pgd_ib waits for a selection between networks"),
        ({"model": "lenet5"}, "has no setting cifar10/lenet5"),
        ({"study": "studies/none.yaml"}, "studies/none.yaml: no such study file"),
    ],
)
def test_what_is_wrong_in_a_list_is_said_before_anything_runs(tmp_path, wrong, said):
    file = tmp_path / "plan.yaml"
    file.write_text(LIST.format(**RIGHT))
    assert [unit.name for unit in plan.units(file)] == ["ib-rar/cifar10/vgg16/standard/0"]
    file.write_text(LIST.format(**RIGHT | wrong))
    with pytest.raises(StudyError) as error:
        plan.units(file)
    assert said in str(error.value)


def test_the_steps_write_every_table_of_a_run_and_what_a_transfer_needs():
    """Those that the stage collect reads of it; the examples of the proxy are there before."""
    study, names = load(Path("studies/uncertainty.yaml")), UNIT.names
    found = steps.steps_of_run(study, names)
    assert [step.stage for step in found["training"]] == ["prepare", "pretrain"]
    written = {file for half in found.values() for step in half for file in step.writes}
    plan = Plan(study)
    collected = plan.job("collect", {name: names[name] for name in ("dataset", "model")})
    read = [file for role in ("model", "tables") for file in plan.reads(collected)[role]]
    own = {str(file.path) for file in read if names.items() <= file.names.items()}
    assert len(own) > 10 and own <= written
    stages = [step.stage for step in found["measuring"]]
    assert stages[-2:] == ["diagnose", "transfer"]  # what reads examples comes after all of them
    proxy = [step for step in found["measuring"] if step.names.get("defence") == "standard"]
    assert found["measuring"][1 : 1 + len(proxy)] == proxy
    attacks = in_setting(study, {"dataset": "mnist", "model": "pytorch_cnn"})["attacks"]
    assert [step.names["attack"] for step in proxy] == [*attacks]
    arguments = found["measuring"][-1].arguments("studies/uncertainty.yaml")
    assert arguments[:4] == ["-m", "pipeline", "stage", "transfer"]


def test_the_snapshots_are_those_of_the_training():
    """50 epochs, every 50th; 200 epochs, every one."""
    assert steps.snapshots(load(Path("studies/uncertainty.yaml")), UNIT.names) == [0, 50]
    names = {"dataset": "mnist", "model": "lenet5", "defence": "standard", "seed": "0"}
    study = load(Path("studies/mutual-information.yaml"))
    assert steps.snapshots(study, names) == list(range(201))


def test_outcomes_are_packed_one_bit_per_image():
    """By hand: 1010 0000 1|000 0000 is a0 80; the order of the rows does not matter."""
    bits = [1, 0, 1, 0, 0, 0, 0, 0, 1]
    outcomes = pd.DataFrame({"entry": "clean", "index": range(9), "correct": bits})
    outcomes = pd.concat([outcomes[::-1], outcomes.assign(entry="fgsm", correct=0)])
    found = gather.pack_bits(outcomes).to_dict("list")
    assert found == {"entry": ["clean", "fgsm"], "n": [9, 9], "correct_bits": ["a080", "0000"]}
    back = np.unpackbits(np.frombuffer(bytes.fromhex(found["correct_bits"][0]), np.uint8))[:9]
    assert back.tolist() == bits


def test_earlier_measures_serve_only_epochs_that_have_no_snapshot():
    table = pd.DataFrame({"stage": ["train", "measure"], "epoch": [9, 10], "value": [1.0, 2.0]})
    earlier = pd.DataFrame({"stage": "measure", "epoch": [0, 10], "value": [3.0, 4.0], "x": 5})
    found = gather.with_earlier(table, earlier)
    assert found.to_dict("list") == {
        "stage": ["train", "measure", "measure"], "epoch": [9, 0, 10], "value": [1.0, 3.0, 2.0],
    }  # fmt: skip


def test_images_that_were_held_out_are_none_of_the_scale():
    """5 % of CIFAR-10's 50,000; all, where none are held out."""
    names = {"dataset": "cifar10", "model": "vgg16", "defence": "ib_rar"}
    unit = UNIT._replace(study_file="studies/evidence/ib-rar.yaml", **names)
    found = fingerprint.run_scale(unit, Path(), 50_000)
    assert found == {
        "training_images": 47_500, "evaluation_images": 500, "epochs": 60, "batch_size": 100,
    }  # fmt: skip
    other = {"dataset": "cifar10", "model": "all_cnn", "defence": "standard"}
    unit = UNIT._replace(study_file="studies/evidence/one-bit-matters.yaml", **other)
    assert fingerprint.run_scale(unit, Path(), 50_000)["training_images"] == 5000  # of its data set
    unit = UNIT._replace(study_file="studies/evidence/uncertainty.yaml")
    assert fingerprint.run_scale(unit, Path(), 60_000)["training_images"] is None


def test_changed_methods_are_named_before_the_pipeline(monkeypatch):
    now = dict.fromkeys(["pipeline/a.py", "pipeline/b.py", "pipeline/c.py"], "1")
    now |= dict.fromkeys(["src/robustinfo/y.py", "src/robustinfo/x.py"], "1")
    monkeypatch.setattr(fingerprint, "of_study", lambda *_: {"asked": "", "meaning": now})
    before = {half: {"asked": "", "meaning": {}} for half in steps.HALVES}
    named = "src/robustinfo/x.py, src/robustinfo/y.py, pipeline/a.py, 2 more"
    assert [*page._changed_since(UNIT, before, {})] == [f"{half}: {named}" for half in steps.HALVES]


def test_the_page_calls_an_adopted_network_adopted(monkeypatch):
    """Its hours are those of its measuring, and its date is the commit's."""
    half = {"commit": "f" * 40, "date": "2026-01-02", "seconds": 1800.0}
    record = {
        "training": half | {"seconds": 0.0, "adopted": True},
        "measuring": half,
        "scale": {"training_images": None, "evaluation_images": 10, "epochs": 2},
        "checkpoint": {"committed": True, "sha256": "0" * 64},
    }
    monkeypatch.setattr(page, "_changed_since", lambda *_: [])
    line = page._line(UNIT, record, {})
    assert line[1:3] == ["ffffffffff (2026-01-02), adopted", "ffffffffff (2026-01-02)"]
    assert line[6] == "0.50 (measuring only)"
    record["training"] = half
    assert page._line(UNIT, record, {})[6] == "1.00"


def test_a_state_beyond_the_budget_stays_here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    work = UNIT.path(RUN) / ".training"
    resuming.save_state(work, "mine", {"epoch": 3, "model": torch.rand(40)}, [])
    monkeypatch.setattr(records, "BUDGET", 100)
    assert "is beyond the budget" in unfinished.export(UNIT, tmp_path, tmp_path / "log")
    assert not UNIT.record.exists()
