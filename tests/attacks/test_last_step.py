"""Success at any step, which is what counts everywhere; and at the last one, as papers count."""

from types import SimpleNamespace

import pytest
import torch
from torch import nn

from pipeline.results import rows
from pipeline.run import load
from pipeline.stages import attack as attack_stage
from robustinfo.attacks import detector_aware_pgd, label_smoothing_pgd, pgd
from robustinfo.core import registry
from robustinfo.core.sealed import unseal
from robustinfo.training.loop import Images

WALK = {"epsilon": 0.2, "step_size": 0.09}
ENTROPY = {"method": "entropy", "alphabet": "grey", "estimator": "plug_in"}
FROM_X = {"random_start": False}
ATTACKS = {
    "bim": {"method": "bim"},
    "mi_fgsm": {"method": "mi_fgsm"},
    "ni_fgsm": {"method": "mi_fgsm", "nesterov": True},
    "pgd": {"method": "pgd"} | FROM_X,
    "pgd_margin": {"method": "pgd", "objective": "margin"} | FROM_X,
    "label_smoothing_pgd": {"method": "label_smoothing_pgd", "smoothings": [0.0]} | FROM_X,
    "detector_aware_pgd": FROM_X
    | {"method": "detector_aware_pgd", "complexity": ENTROPY, "confidence": 9.0},
}
EVERY = pytest.mark.parametrize("name", ATTACKS)


class Valley(nn.Module):
    """One pixel, and class 1 wins around 0.6 only; behind, the way up goes on."""

    def forward(self, x):
        height = (x.flatten(1) - 0.6).abs() - 0.02
        return torch.cat([height.detach() - x.flatten(1) + x.flatten(1).detach(), 0 * height], 1)


def walked(name, steps, model=None):
    x, y = torch.full((2, 1, 1, 1), 0.5), torch.zeros(2, dtype=torch.int64)
    entry, generator = ATTACKS[name] | WALK | {"steps": steps}, torch.Generator()
    module, config = registry.module("attacks", entry), registry.config("attacks", entry)
    given = {"config": config, "generator": generator}
    found = module.perturb_with_extras(model or Valley(), x, y, **given)
    plain = module.perturb(model or Valley(), x, y, **given)
    assert all(a.equal(b) for a, b in zip(found[:2], plain, strict=True))
    return found


@EVERY
@pytest.mark.parametrize("steps", [1, 2])
def test_an_image_that_a_step_turns_has_fallen_although_the_next_one_turns_it_back(name, steps):
    x_adv, success, extras = walked(name, steps)
    assert success.all() and x_adv.flatten().tolist() == pytest.approx([0.59, 0.59])
    assert extras["last_step"].tolist() == [steps == 1] * 2


@EVERY
def test_where_nobody_falls_there_is_no_last_step_either_and_the_image_comes_back(name):
    class Sure(Valley):
        def forward(self, x):
            return super().forward(x) + torch.tensor([1.0, 0.0])

    x_adv, success, extras = walked(name, 2, Sure())
    assert not success.any() and not extras["last_step"].any()
    assert x_adv.flatten().tolist() == [0.5, 0.5]


NUMBERS = {"epsilon": 0.05, "step_size": 0.03, "steps": 5}


def ends(model, x, y, *, restarts, seed=1, **settings):
    """(n,) who is wrong where any of so many full runs ends."""
    config, generator = pgd.Config(**NUMBERS | settings), torch.Generator().manual_seed(seed)
    falls = torch.zeros_like(y, dtype=torch.bool)
    for _ in range(restarts):
        end = pgd.craft(model, x, y, config=config, generator=generator)
        falls |= model(end).argmax(1) != y
    return falls & (model(x).argmax(1) == y)


@pytest.mark.parametrize("name", ["mlp", "resnet18"])
@pytest.mark.parametrize("restarts", [1, 3])
def test_the_last_steps_are_those_of_full_runs_although_others_have_fallen_on_the_way(
    name, restarts, problem
):
    model, x, y = problem(name, torch.double, images=64)
    config = pgd.Config(**NUMBERS, restarts=restarts)
    _, success, extras = pgd.perturb_with_extras(
        model, x, y, config=config, generator=torch.Generator().manual_seed(1)
    )
    expected = ends(model, x, y, restarts=restarts)
    assert extras["last_step"].equal(expected) and expected.any() and success[expected].all()


@pytest.mark.parametrize("steps", [1, 2])
def test_the_stage_keeps_who_falls_at_the_last_step_beside_who_falls_at_all(
    steps, tmp_path, monkeypatch
):
    """As ``broken_after`` reads it. The second image is wrong when clean."""
    images = Images(torch.full((2, 1, 1, 1), 127, dtype=torch.uint8), torch.tensor([0, 1]))
    monkeypatch.setattr(load, "test_images", lambda job: images)
    monkeypatch.setattr(attack_stage, "network_and_term", lambda job: (Valley(), None))
    job = SimpleNamespace(
        params={"attack": ATTACKS["pgd"] | WALK | {"steps": steps}},
        names={"attack": "pgd"},
        device=torch.device("cpu"),
        generator=torch.Generator(),
        paths=lambda name: [],
        writes={"examples": tmp_path / "pgd.safetensors", "attacked": tmp_path / "pgd.csv"},
    )
    attack_stage.run(job)
    kept, _ = unseal(tmp_path / "pgd.safetensors")
    assert kept["success"].tolist() == [True, False]
    assert kept["last_step"].tolist() == [steps == 1, False]
    table = rows.read(tmp_path / "pgd.csv").set_index("quantity").value
    assert table["attack_success_rate"] == 1
    assert table["attack_success_rate_last_step"] == (steps == 1)


def test_images_that_leave_have_no_last_step(problem):
    config = pgd.Config(**NUMBERS, until="fooled")
    extras = pgd.perturb_with_extras(
        *problem("mlp"), config=config, generator=torch.Generator().manual_seed(1)
    )[2]
    assert extras == {}


@pytest.mark.parametrize("attack, more", [
    (label_smoothing_pgd, {"smoothings": [0.0, 0.3]}),
    (detector_aware_pgd, {"complexity": ENTROPY, "confidence": 0.1}),
])  # fmt: skip
def test_whoever_falls_at_the_last_step_has_fallen(attack, more, problem):
    model, x, y = problem("mlp", images=64)
    config = attack.Config(**NUMBERS, restarts=2, **more)
    x_adv, success, extras = attack.perturb_with_extras(
        model, x, y, config=config, generator=torch.Generator().manual_seed(1)
    )
    last = extras["last_step"]
    assert last.any() and success[last].all()
    assert (model(x_adv).argmax(1) != y)[success].all() and x_adv[~success].equal(x[~success])


def test_fgsm_from_noise_counts_the_noise_that_fools_by_itself():
    """Who starts at random could have sent the start."""
    fgsm = registry.module("attacks", {"method": "fgsm"})
    x, y = torch.full((64, 1, 1, 1), 0.5), torch.zeros(64, dtype=torch.int64)

    def found(**settings):
        config, generator = fgsm.Config(epsilon=0.2, **settings), torch.Generator().manual_seed(0)
        return fgsm.perturb(Valley(), x, y, config=config, generator=generator)[1]

    assert not found().any()  # a step of 0.2 from x ends behind the valley
    some = found(start_std=0.1)
    assert some.any() and not some.all()
