"""What stage programs hand on: the defence to its attacker, the first images to a training."""

import errno
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from pipeline.results import rows, untrained
from pipeline.run import contract, load, start
from pipeline.run.plan import Plan
from pipeline.stages import _attack_examples, _training, attack, learn, overview, toy
from robustinfo.core.batches import to_float
from robustinfo.core.errors import UserError
from robustinfo.core.files import DiskError
from robustinfo.core.measurement import Measurement
from robustinfo.core.sealed import unseal
from robustinfo.datasets._prepared import Split
from robustinfo.defences import entropic
from robustinfo.evaluation.attack_term import attack_term
from robustinfo.models import lenet5, text_classifier, vgg16
from robustinfo.training.loop import Images
from tests.by_quantity import by_quantity
from tests.checkpoints import untrained as untrained_checkpoint
from tests.jobs import NAMES, STANDARD, made, settle, small

ENTROPIC = {"method": "entropic", "loss": {"method": "cross_entropy"}, "weight": 0.5, "factor": 2.0}


@pytest.fixture
def model():
    torch.manual_seed(0)
    return lenet5.build((1, 28, 28), 10, config=lenet5.Config())


def test_an_adaptive_attack_gets_the_defences_own_numbers_and_what_it_measured(model):
    state = {"pretrained_flow": torch.tensor(3.0)}
    loaded = untrained_checkpoint({"method": "lenet5"}, (1, 28, 28), 10, ENTROPIC, state)
    x, y = torch.rand(4, 1, 28, 28), torch.arange(4)
    _, found = attack_term(loaded, model)(x, y)
    config = entropic.Config(**{key: ENTROPIC[key] for key in ("loss", "weight", "factor")})
    _, expected = entropic.attack_term(model, x, y, config=config, state=state)
    assert found.equal(expected)


def test_a_defence_without_a_term_of_its_own_hands_on_none(model):
    loaded = untrained_checkpoint({"method": "lenet5"}, (1, 28, 28), 10)
    assert attack_term(loaded, model) is None


@pytest.mark.parametrize("first, count", [(7, 7), (None, 20)])
def test_a_training_takes_the_first_images_and_splits_those(monkeypatch, first, count):
    images = torch.arange(20, dtype=torch.uint8)[:, None, None, None]
    monkeypatch.setattr(
        load, "split", lambda job, which: Split(images, torch.arange(20) % 2, [], [])
    )
    study = small(training_images=first, validation_share=0.3)
    data, validation = load.training_and_validation(made(study, "pretrain", **NAMES))
    seen = torch.cat([data.images, validation.images]).flatten().sort().values
    assert seen.tolist() == list(range(count)) and len(validation.images) > 0


OF_NETWORKS = [
    name
    for name, one in contract.read_all().items()
    if "defence" in one.names and {"model", "selection"} & {read.role for read in one.reads}
]
ASKED = {key: {"e": {}} for key in ("attacks", "complexities", "distortions", "learning")}
ASKED |= {"detection": {"e": {}}, "transfers": [{"defence": "x", "proxy": "y"}]}
ASKED |= {"evaluation_images": 9, "images_per_job": 9}
ASKED["selection"] = {"settings": small()["settings"], "compared": ["x", "y"], "attack": "e"}


@pytest.mark.parametrize("stage", OF_NETWORKS)
def test_a_stage_leaves_empty_files_of_a_network_that_nobody_trained(stage, tmp_path, monkeypatch):
    training = "train_selected" if stage == "train_selected" else "pretrain"
    trained = {"pretrain": {}, training: {"x": {}, "y": {}}}
    study = small(defences={"x": STANDARD, "y": STANDARD}, **trained, **ASKED)
    settle(tmp_path, monkeypatch)
    (planned,) = Plan(study).of(stage, defence="x")
    job = made(study, stage, **planned.names)
    (read,) = job.reads.get("model") or job.reads["selection"]
    untrained.leave_empty([read.path])
    start.perform(job)
    for path in job.writes.values():
        if path.suffix == ".csv":
            assert rows.read(path).empty
        else:
            assert not any(path.iterdir()) if path.is_dir() else unseal(path)[0] == {}


@pytest.mark.parametrize("stage", ["pretrain", "overview"])
def test_a_read_only_disk_is_told_in_one_line_also_where_a_stage_makes_a_folder(
    stage, tmp_path, monkeypatch
):
    def read_only(*_, **__):
        raise OSError(errno.EROFS, "Read-only file system")

    settle(tmp_path, monkeypatch)
    job = made(small(), stage, **(NAMES if stage == "pretrain" else {}))
    monkeypatch.setattr(Path, "mkdir", read_only)
    with pytest.raises(DiskError, match=r"cannot write results/s/.*Read-only file system"):
        if stage == "pretrain":
            untrained.leave_empty(job.writes.values())
        else:
            overview.run(job)


def test_sets_hold_every_image_as_each_attack_leaves_it_turned_or_not(model):
    torch.manual_seed(0)
    images = torch.randint(60, 200, (6, 1, 28, 28), dtype=torch.uint8)
    labels = model(to_float(images)).argmax(1)
    labels[0] = (labels[0] + 1) % 10  # DeepFool leaves what is wrong already
    attacks = {
        "fgsm": {"method": "fgsm", "epsilon": 10 / 255},
        "deepfool": {"method": "deepfool", "overshoot": 9.0},
    }
    own = SimpleNamespace(params={"attacks": attacks}, generator=torch.Generator())
    sets = learn._sets(own, model.eval(), ("fgsm", "deepfool"), Images(images, labels))
    assert list(sets) == ["clean", "fgsm", "deepfool"]
    assert all(one.labels.equal(labels) for one in sets.values())
    moved = {name: (one.images.int() - images.int()).abs() for name, one in sets.items()}
    assert not moved["clean"].any()
    assert moved["fgsm"].unique().tolist() == [10]  # of images that it fails on, too
    turned = moved["deepfool"].flatten(1).any(1)  # what it fails on is there, as it was
    assert not turned[0] and 0 < turned.sum() < 5
    accuracies = {one.input: one for one in learn._accuracies(model, sets)}
    assert [one.quantity for one in accuracies.values()] == ["network_accuracy"] * 3
    assert accuracies["clean"].value == pytest.approx(5 / 6)
    left = model(to_float(sets["fgsm"].images)).argmax(1) == labels
    assert accuracies["fgsm"].value == pytest.approx(left.double().mean().item())


def test_a_text_is_not_rounded_and_its_distance_is_its_altered_words():
    torch.manual_seed(0)
    model = text_classifier.build((9, 40), 2, config=text_classifier.Config()).eval()
    x = torch.randint(40, (30, 9))
    entry = {"method": "word_fgsm", "step_size": 0.02, "steps": 9}
    found = _attack_examples._examples(entry, model, x, model(x).argmax(1), None, torch.Generator())
    assert found["x_adv"].dtype == torch.int32 and found["success"].any()
    assert found["success_8bit"].equal(found["success"])
    assert found["altered_words"].equal((found["x_adv"] != x).sum(1))
    values = by_quantity([*attack._fractions(found, {}), *attack._distances(found)])
    altered = sorted(found["altered_words"][found["success"]].tolist())
    middle = altered[(len(altered) - 1) // 2]
    expected = Measurement("median_altered_words", middle, n=len(altered))
    assert values["median_altered_words"] == expected


def test_a_toy_has_its_rows_once_per_seed(tmp_path, monkeypatch):
    settle(tmp_path, monkeypatch)
    toys = {"xor": {"method": "noisy_xor", "points": 8, "noise": [0.0, 0.5]}}
    job = made(small(seeds=[0, 7], toys=toys), "toy", toy="xor")
    toy.run(job)
    table = rows.read(job.writes["results"])
    assert table.seed.tolist() == [0, 0, 7, 7] and set(table.stage) == {"toy"}
    assert set(table.dataset) == {""} and table.level.tolist() == [0, 0.5] * 2


IB_RAR = {"method": "ib_rar", "base": {"method": "standard", "loss": {"method": "cross_entropy"}}}


def test_a_mask_without_held_out_images_is_an_error_before_the_training():
    nothing = Images(torch.zeros(0, 1, 8, 8, dtype=torch.uint8), torch.zeros(0, dtype=torch.int64))
    with pytest.raises(UserError, match="ib_rar needs held-out images; raise `validation_share`"):
        _training._finisher(IB_RAR, None, nothing)
    assert _training._finisher(IB_RAR | {"masked_share": 0.0}, None, nothing)() is None


def test_what_a_defence_does_at_the_end_is_done_to_the_model_in_eval_mode():
    torch.manual_seed(0)
    model = vgg16.build((1, 8, 8), 2, config=vgg16.Config(width=4, hidden=8)).train()
    images = Images(torch.randint(0, 256, (40, 1, 8, 8), dtype=torch.uint8), torch.arange(40) % 2)
    _training._finisher(IB_RAR, model, images)()
    assert not model.training and model.mask.passes.sum() == 32 - round(0.05 * 32)
