"""Which attack and which images the gallery shows, and what it says of them."""

import pytest
import torch

from pipeline.results import rows, sealed_text
from pipeline.run import load
from pipeline.stages import gallery
from robustinfo.core.batches import to_float
from robustinfo.core.sealed import seal
from robustinfo.training.loop import Images
from tests.checkpoints import saved
from tests.jobs import STANDARD, made, settle, small

PGD = {"method": "pgd", "norm": "linf", "epsilon": 0.3, "step_size": 0.1, "steps": 3}
ATTACKS = {
    "fgsm": {"method": "fgsm", "norm": "linf", "epsilon": 0.3},
    "strong": PGD,
    "weak": PGD,
    "beyond": PGD | {"epsilon": 0.9},
    "unbounded": {"method": "deepfool", "norm": "l2", "steps": 5},
}
LEFT = {"fgsm": 0.0, "strong": 0.2, "weak": 0.4, "beyond": 0.0, "unbounded": 0.0}
DEFENCES = ("standard", "adversarial")
CLASSES = [f"class {number}" for number in range(10)]


@pytest.fixture
def job(tmp_path, monkeypatch):
    """A setting with two defences, five attacks, and twelve images that every attack turns."""
    settle(tmp_path, monkeypatch)
    defences = {name: STANDARD for name in DEFENCES}
    trained = {"defences": defences, "pretrain": {name: {} for name in DEFENCES}}
    study = small(attacks=ATTACKS, threat={"linf": 0.3}, seeds=[7, 8], **trained)
    job = made(study, "gallery", dataset="d", model="m")
    job.device = torch.device("cpu")
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(256, (12, 1, 28, 28), generator=generator).byte()
    labels = torch.arange(12) % 6
    monkeypatch.setattr(load, "test_images", lambda job: Images(images, labels))
    x_adv = (to_float(images) + 0.3 * torch.rand(12, 1, 28, 28, generator=generator)).clamp(0, 1)
    splits = {"train": {"shape": [1, 28, 28]}}
    sealed_text.write_json(job.file("data"), {"classes": CLASSES, "splits": splits})
    for defence in DEFENCES:
        saved(job.file("model", defence=defence), {"method": "lenet5"}, (1, 28, 28), 10)
        for name in ATTACKS:
            success = torch.ones(12).bool()
            success[:2] = defence == "standard"
            stored = {"x_adv": x_adv, "success": success}
            seal(job.file("examples", defence=defence, attack=name), stored, {})
            line = {"stage": "attack", "entry": name, "quantity": "accuracy", "value": LEFT[name]}
            rows.write(job.file("attacked", defence=defence, attack=name), [line])
    return job


def test_the_attack_is_the_strongest_iterated_one_within_the_threat_model(job):
    assert gallery.strongest_attack(job) == "strong"
    job.params["attacks"] = {name: ATTACKS[name] for name in ("fgsm", "beyond")}
    assert gallery.strongest_attack(job) == "fgsm"
    job.params["attacks"] = {"unbounded": ATTACKS["unbounded"]}
    assert gallery.strongest_attack(job) is None


def test_images_that_more_defences_lost_come_first_and_each_is_of_another_class():
    success = torch.tensor([[1, 0, 1, 1, 0, 1], [0, 0, 1, 1, 1, 1]]).bool()
    labels = torch.tensor([0, 1, 2, 2, 1, 3])
    assert gallery.choose_images(success, labels).tolist() == [2, 5, 0, 4]


def test_it_says_what_the_network_answers_before_and_after(job):
    gallery.run(job)
    table = rows.read(job.writes["gallery"])
    assert table.defence.tolist() == ["standard"] * 4 + ["adversarial"] * 4
    assert table["index"].tolist() == [2, 3, 4, 5] * 2  # what only one defence lost comes later
    images, labels = load.test_images(job)
    model = load.trained(job, job.file("model", defence="standard"))
    before = model(to_float(images[2:6])).argmax(1)
    assert table.before.tolist() == [CLASSES[k] for k in before] * 2
    assert table.label.tolist() == [CLASSES[k] for k in labels[2:6]] * 2
    assert set(table.success) == {"True"} and set(table.attack) == {"strong"}
    assert job.writes["gallery_picture"].read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("change", [{"dataset": {"method": "imdb"}}, {"attacks": {}}])
def test_texts_and_settings_without_a_threat_model_have_none(job, change):
    job.params |= change
    gallery.run(job)
    assert rows.read(job.writes["gallery"]).empty
    assert job.writes["gallery_picture"].read_bytes() == b""
