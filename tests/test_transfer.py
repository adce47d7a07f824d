"""Examples of another network, tried on this one: what they break that its own attacks did not."""

from types import SimpleNamespace

import pytest
import torch
from robustinfo.worst_case import Threat, worst_case
from torch import nn

from pipeline import combined, load, paths, rows, transfer
from robustinfo.sealed import seal
from robustinfo.training import Images

FGSM = {"method": "fgsm", "epsilon": 0.5}
PGD = {"method": "pgd", "epsilon": 0.5, "step_size": 0.1, "steps": 1}


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
    monkeypatch.setattr(load, "trained", lambda job, file: Bright())
    names = {"study": "s", "dataset": "d", "model": "m", "defence": "mine", "seed": "0"}

    def path(template, **other):
        return tmp_path / template.format(**(names | other))

    def store(defence, attack, x_adv, success):
        correct = torch.tensor([True, True, True, False])
        given = {"x_adv": torch.tensor(x_adv).view(4, 1, 1, 1), "correct": correct}
        seal(
            path(paths.EXAMPLES, defence=defence, attack=attack),
            given | {"success": torch.tensor(success).bool()}, {},
        )  # fmt: skip

    store("mine", "pgd", [0.6, 0.0, 0.0, 1.0], [1, 0, 0, 0])
    store("proxy", "pgd", [0.6, 0.7, 0.2, 0.0], [1, 1, 1, 1])
    return SimpleNamespace(
        params={
            "transfers": [{"defence": "mine", "proxy": "proxy"}], "attacks": {"pgd": PGD},
            "threat": {},
        },
        names=names, path=path, device=torch.device("cpu"),
    )  # fmt: skip


def test_what_only_the_proxys_examples_break_is_counted_and_lowers_the_robust_accuracy(job):
    transfer.run(job)
    table = rows.read(job.path(paths.TRANSFERRED)).set_index(["entry", "quantity"])
    assert table.loc[("pgd", "accuracy"), "value"] == 1 / 4
    assert table.loc[("pgd", "attack_success_rate"), "value"] == pytest.approx(2 / 3)
    assert table.loc[("pgd", "accuracy"), "input"] == "proxy"
    assert table.loc[("attacks", "black_box_only_share"), "value"] == 1 / 4
    assert table.loc[("attacks", "robust_accuracy"), "value"] == 1 / 4
    alone, stands = combined.fractions(job, torch.tensor([0.0, 0, 0, 1]).view(4, 1, 1, 1))
    assert stands.tolist() == [False, True, True, False]
    assert alone["robust_accuracy"] == (2 / 4, 4) and "black_box_only_share" not in alone


def test_an_attack_beyond_the_limit_of_its_norm_does_not_count():
    made = Threat("iterated", "linf", 8 / 255)
    assert combined.counts(made, {}) and combined.counts(made, {"linf": "8/255"})
    assert not combined.counts(made, {"linf": "7/255"})
    assert combined.counts(made, {"l2": 0.01}) and combined.counts(made, {"linf": None})
    assert not combined.counts(made._replace(epsilon=None), {})


def test_the_rate_of_noise_is_of_the_images_that_all_else_left_standing(job):
    noise = {"method": "additive_noise", "norm": "linf", "epsilon": 0.5}
    job.params["attacks"] |= {"noise": noise}
    stored = torch.tensor([0.0, 0.7, 0.0, 1.0]).view(4, 1, 1, 1)
    flags = {"success": torch.tensor([1, 1, 0, 0]).bool()}
    flags["correct"] = torch.tensor([True, True, True, False])
    seal(job.path(paths.EXAMPLES, attack="noise"), flags | {"x_adv": stored}, {})
    found, _ = combined.fractions(job, torch.tensor([0.0, 0, 0, 1]).view(4, 1, 1, 1))
    assert found["noise_only_rate"] == (1 / 2, 2) and found["noise_only_share"] == (1 / 4, 4)


def test_a_black_box_counts_alone_only_beside_a_gradient_attack_of_its_own_threat():
    success = {"box": torch.tensor([1, 1, 0]).bool(), "pgd": torch.tensor([1, 0, 0]).bool()}
    box = Threat("black_box", "linf", 0.1)
    same = worst_case(success, {"box": box, "pgd": Threat("iterated", "linf", 0.1)})
    assert same["black_box_only"].tolist() == [False, True, False]
    other = worst_case(success, {"box": box, "pgd": Threat("iterated", "l2", 0.1)})
    assert "black_box_only" not in other
