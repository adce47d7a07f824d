"""Examples of another network, tried on this one: what they break that its own attacks did not."""

import pytest
import torch
from torch import nn

from pipeline.results import rows, worst_case
from pipeline.run import load, start
from pipeline.stages import transfer
from robustinfo.core.batches import to_float
from robustinfo.core.measurement import count_fraction
from robustinfo.core.sealed import seal, unseal
from robustinfo.evaluation.outcome import outcome
from robustinfo.evaluation.threats import Threat
from robustinfo.training.loop import Images
from tests.by_quantity import by_quantity
from tests.staged import staged

STUDY = """
name: tiny
seeds: [0]
settings: [{dataset: digits, model: lenet5}]
datasets: {digits: {method: digits}}
models: {lenet5: {method: lenet5}}
defences:
  mine: &standard {method: standard, loss: {method: cross_entropy}}
  proxy: *standard
pretrain:
  mine: &training {epochs: 1, batch_size: 8, learning_rate: 0.1, snapshot_every: 1}
  proxy: *training
attacks: {pgd: {method: pgd, epsilon: 0.5, step_size: 0.1, steps: 1}}
transfers: [{defence: mine, proxy: proxy}]
diagnostics: {curve: {method: attack_accuracy, steps: 1, sweep: {epsilon: [0.0, 0.5, 1.0]}}}
verdict: {twin: proxy}
"""
NAMES = {"dataset": "digits", "model": "lenet5", "defence": "mine", "seed": "0"}
CORRECT = torch.tensor([True, True, True, False])


class Bright(nn.Module):
    """Class 1 where the image's only pixel is above a half."""

    def forward(self, x):
        above = x.flatten(1) - 0.5
        return torch.cat([-above, above], 1)


@pytest.fixture
def job(tmp_path, monkeypatch):
    images = torch.tensor([0, 0, 0, 255], dtype=torch.uint8).view(4, 1, 1, 1)
    labels = torch.tensor([0, 0, 0, 0])  # the last one is wrong when clean
    monkeypatch.setattr(load, "test_images", lambda job: Images(images, labels))
    monkeypatch.setattr(transfer, "network", lambda job, defence, file: Bright())
    with staged(tmp_path, STUDY) as (study, _):
        made = start.build_job(study, "transfer", NAMES)
        seal(made.file("examples"), stored([0.6, 0.0, 0.0, 1.0], [1, 0, 0, 0]), {})
        seal(made.file("proxy"), stored([0.6, 0.7, 0.2, 0.0], [1, 1, 1, 1]), {})
        yield made


def stored(x_adv, success):
    """As the stage attack keeps it, of four images of one pixel."""
    x_adv = torch.tensor(x_adv).view(4, 1, 1, 1)
    return {"x_adv": x_adv, "correct": CORRECT, "success": torch.tensor(success).bool()}


def own(job, examples=(), entries=()):
    """What the run's own attacks say together, and others that it is given."""
    images, labels = load.test_images(job)
    kept = {one.names["attack"]: unseal(one.path)[0] for one in job.files("examples")}
    return worst_case.worst_case(
        Bright(), to_float(images), labels, kept | dict(examples), job.params["attacks"] |
        dict(entries), job.params["threat"], generator=job.generator,
    )  # fmt: skip


def test_what_only_the_proxys_examples_break_is_counted_and_lowers_the_robust_accuracy(job):
    transfer.run(job)
    table = rows.read(job.writes["transferred"]).set_index(["entry", "quantity"])
    assert table.loc[("pgd", "accuracy"), "value"] == 1 / 4
    assert table.loc[("pgd", "attack_success_rate"), "value"] == pytest.approx(2 / 3)
    assert table.loc[("pgd", "accuracy"), "input"] == "proxy"
    assert table.loc[("linf", "black_box_only_fraction"), "value"] == 1 / 4
    assert table.loc[("linf", "robust_accuracy"), "value"] == 1 / 4
    assert table.loc[("union", "robust_accuracy"), "value"] == 1 / 4
    after = rows.read(job.writes["transferred_outcomes"])
    assert after[after.entry == "linf"].correct.tolist() == [0, 0, 1, 0]
    alone = own(job)
    assert alone.correct["linf"].tolist() == [False, True, True, False]
    said = by_quantity(one for one in alone.measurements if one.entry == "linf")
    assert said["robust_accuracy"] == count_fraction("robust_accuracy", 2, 4)._replace(entry="linf")
    assert "black_box_only_fraction" not in said


def test_the_rate_of_noise_is_of_the_images_that_all_else_left_standing(job):
    noise = {"method": "additive_noise", "norm": "linf", "epsilon": 0.5}
    examples = {"noise": stored([0.0, 0.7, 0.0, 1.0], [1, 1, 0, 0])}
    together = own(job, examples, {"noise": noise})
    found = by_quantity(one for one in together.measurements if one.entry == "linf")
    for name, images, of in [("noise_only_rate", 1, 2), ("noise_only_fraction", 1, 4)]:
        assert found[name] == count_fraction(name, images, of)._replace(entry="linf")


def test_a_black_box_counts_alone_only_beside_a_gradient_attack_of_its_own_threat():
    success = {"box": torch.tensor([1, 1, 0]).bool(), "pgd": torch.tensor([1, 0, 0]).bool()}
    box = Threat("black_box", "linf", 0.1)
    right = torch.ones(3, dtype=torch.bool)
    for norm, epsilon, there in [("linf", 0.1, True), ("linf", 0.2, False), ("l2", 0.1, False)]:
        found = outcome(
            success, {"box": box, "pgd": Threat("iterated", norm, epsilon)}, right, "linf"
        )
        assert ("black_box" in found.only) == there
        if there:
            assert found.only["black_box"].tolist() == [False, True, False]
