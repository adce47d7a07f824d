from types import SimpleNamespace

import pytest
import torch
from pydantic import ValidationError
from torch import nn

from pipeline.run import contract
from pipeline.run.code import source_files
from robustinfo.diagnostics import binarization_test
from robustinfo.diagnostics._linear_probe import Binary, LinearProbe, fit_probe, last_linear
from robustinfo.maths.balls import distance
from tests.by_quantity import by_quantity

PGD = {"method": "pgd", "epsilon": 0.1, "step_size": 0.02, "steps": 10}
SIDE = 16


class Before(nn.Module):
    """Something done to the images first."""

    def __init__(self, change, model):
        super().__init__()
        self.change, self.model = change, model

    def forward(self, x):
        return self.model(self.change(x))


@pytest.fixture
def network():
    """A linear network of 256 features, whose planted points are all within reach."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Flatten(), nn.Linear(SIDE**2, 100), nn.Linear(100, 5)).eval()
    x = 0.3 + 0.4 * torch.rand(8, 1, SIDE, SIDE)
    return SimpleNamespace(model=model, x=x, y=torch.zeros(8).long())


class Loud(nn.Sequential):
    """Logits so large that the cross-entropy is flat."""

    def forward(self, x):
        return 1e5 * super().forward(x)


def diagnosed(model, x, generator, attack=PGD, **settings):
    """{quantity without its prefix: Measurement}"""
    config = binarization_test.Config(adversary=attack, **settings)
    y = torch.zeros(len(x)).long()
    found = binarization_test.diagnose(model, x, y, config=config, generator=generator)
    return {name.removeprefix("binarization_"): one for name, one in by_quantity(found).items()}


def fractions(model, x, generator, attack=PGD, **settings):
    """How many are planted; of these, how many the attack and random points turn."""
    said = diagnosed(model, x, generator, attack, **settings)
    assert all(one.interval == "fraction" for one in said.values())
    if not said["tested_fraction"].value:
        assert len(said) == 1
        return [0, 0, 0]
    planted_there = round(said["tested_fraction"].value * said["tested_fraction"].n)
    names = ("found_fraction", "missed_fraction", "random_fraction")
    assert {said[name].n for name in names} == {planted_there}
    assert said["missed_fraction"].value <= 1 - said["found_fraction"].value
    return [said[name].value for name in ("tested_fraction", "found_fraction", "random_fraction")]


@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_pgd_finds_every_point_planted_behind_a_linear_network_and_chance_none(
    norm, network, generator
):
    attack = PGD | {"norm": norm} | ({"epsilon": 1.0, "step_size": 0.2} if norm == "l2" else {})
    assert fractions(network.model, network.x, generator, attack=attack) == [1, 1, 0]


@pytest.mark.parametrize(
    "change",
    [lambda x: (x * 20).round() / 20, lambda x: x.detach(), lambda x: torch.from_numpy(x.numpy())],
    ids=["quantised", "detached", "numpy"],
)
def test_nothing_is_found_where_gradients_are_hidden_before_the_features(
    change, network, generator
):
    model = Before(change, network.model)
    held, found, by_chance = fractions(model, network.x, generator)
    assert held == 1 and found <= 1 / 8 and by_chance <= 1 / 8
    assert diagnosed(model, network.x, generator)["missed_fraction"].value >= 6 / 8


def test_logits_so_large_that_the_loss_is_flat_hide_what_was_planted(network, generator):
    attack = PGD | {"random_start": False}
    assert fractions(Loud(*network.model), network.x, generator, attack=attack)[:2] == [1, 0]


@pytest.mark.parametrize(
    ("build", "attack"),
    [(nn.Sequential, {"step_size": 0.001, "steps": 2}), (Loud, {"random_start": False})],
    ids=["too short", "of a flat loss"],
)
def test_what_a_long_search_finds_where_the_attack_did_not_is_not_missed(
    build, attack, network, generator
):
    said = diagnosed(build(*network.model), network.x, generator, attack=PGD | attack)
    assert said["found_fraction"].value == 0 and said["missed_fraction"].value == 0


@pytest.mark.parametrize(
    "change",
    [lambda x: 0 * x, lambda x: x / 0, lambda x: x + torch.rand_like(x)],
    ids=["constant", "nan", "random"],
)
def test_nothing_is_planted_where_no_hyperplane_separates_for_long(change, network, generator):
    held, found, _ = fractions(Before(change, network.model), network.x, generator)
    assert held <= 1 / 8 and found in (0, 1)


def test_images_that_share_a_ball_are_attacked_apart(network, generator):
    x = torch.cat([network.x[:2], network.x[:2], network.x[:1] + 0.01])
    assert binarization_test._groups(x, "linf", 0.2) == [[0, 1], [2, 3], [4]]
    assert fractions(network.model, x, generator) == [1, 1, 0]
    # The whole cube: all images are within reach of all others.
    assert len(binarization_test._groups(network.x, "linf", 1.0)) == 8


def test_so_many_of_the_first_images_are_tried(network, generator):
    network.x[3:] = torch.nan  # on which nothing can be planted
    assert fractions(network.model, network.x, generator, images=3) == [1, 1, 0]
    assert fractions(network.model, network.x, generator) == [3 / 8, 1, 0]


@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_planted_points_lie_on_the_surface_of_the_ball(norm, network):
    attack = SimpleNamespace(norm=norm, epsilon=0.1)
    found = binarization_test._plant(network.model, "2", network.x, attack)
    torch.testing.assert_close(distance(found.points - found.x, norm), torch.full((8,), 0.1))


@pytest.mark.parametrize("closeness", [0.1, 0.5, 0.999])
def test_a_read_out_tells_the_outer_point_from_all_others_and_is_as_loud_as_the_network(
    closeness, network
):
    model, x = network.model, network.x
    inner = torch.cat([x[:1], x[:1] + 0.1 * (torch.rand(200, 1, SIDE, SIDE) - 0.5)])
    outer = x[:1] + 0.1 * torch.rand(1, 1, SIDE, SIDE).sub(0.5).sign()
    probe = fit_probe(model, "2", inner, outer, closeness=closeness)
    with torch.no_grad():
        logits = Binary(model, "2", x[:1], [probe], "linf")(torch.cat([outer, inner])).double()
        heard = model(torch.cat([outer, inner]))
    score = logits[:, 1]
    assert score[0] > 0 > score[1:].max() and (logits.argmax(1)[1:] == 0).all()
    assert -score[1:].max() / (score[0] - score[1:].max()) == pytest.approx(closeness, abs=0.01)
    span = logits[:, :2].max() - logits[:, :2].min()
    assert span.item() == pytest.approx((heard.max() - heard.min()).item(), rel=1e-3)
    assert (logits[:, 2:] <= logits[:, :2].amin(1, keepdim=True) - 99).all()


@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_every_image_is_served_by_the_read_out_of_its_nearest_original(norm, network):
    model, x = network.model, network.x
    probes = [
        LinearProbe(torch.zeros(100), torch.zeros(100), torch.tensor(-float(i))) for i in range(8)
    ]
    order = torch.tensor([3, 1, 7, 0, 2, 2])
    found = Binary(model, "2", x, probes, norm)(x[order] + 0.02 * torch.rand(6, 1, SIDE, SIDE))
    assert found[:, 1].equal(order.float())


def test_the_features_are_what_the_last_linear_layer_is_given():
    tokens = nn.Sequential(nn.Flatten(2), nn.Linear(4, 3), nn.Flatten(), nn.Linear(3, 2))
    x = torch.rand(5, 1, 2, 2)
    assert last_linear(tokens, x) == "3"
    assert last_linear(tokens[:2], x) is None  # (n, 1, 4) is no vector for each image
    assert last_linear(nn.Sequential(nn.Conv2d(1, 2, 2), nn.Flatten()), x) is None
    assert not tokens[3]._forward_pre_hooks


def test_without_a_linear_layer_the_logits_are_the_features(generator):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(1, 300, SIDE), nn.Flatten()).eval()
    x = 0.3 + 0.4 * torch.rand(4, 1, SIDE, SIDE)
    assert fractions(model, x, generator) == [1, 1, 0]


def test_autoattack_takes_the_two_classes(network, generator):
    attack = {"method": "autoattack", "epsilon": 0.1, "until": "fooled"}
    assert fractions(network.model, network.x, generator, attack=attack, images=2) == [1, 1, 0]


@pytest.mark.parametrize(
    ("attack", "message"),
    [
        ({"method": "deepfool", "norm": "l2", "steps": 2, "candidates": 2}, "no epsilon"),
        ({"method": "word_fgsm"}, "no epsilon|Field required"),
        (PGD | {"steps_": 3}, "steps_"),
        ({"method": "pdg"}, "no method 'pdg'"),
    ],
)
def test_an_attack_without_a_ball_and_a_misspelt_one_are_refused(attack, message):
    with pytest.raises(ValidationError, match=message):
        binarization_test.Config(adversary=attack)


def test_a_job_knows_that_it_runs_the_code_of_the_attack():
    entry = {"method": "binarization_test", "adversary": {"method": "mi_fgsm"}}
    stage = contract.read_all()["diagnose"]
    files = source_files(
        stage, {short: {} for short in stage.params} | {"diagnostics": {"active": entry}}
    )
    assert "src/robustinfo/attacks/mi_fgsm.py" in files
