"""BatchNorm learns in training only: whatever attacks, probes or judges a network leaves it alone.

Published code of arXiv 2207.05756 left the network in training mode while it was probed and
attacked, so that its statistics used, and learned, the test images. Here whole stages are run;
tests/contracts/ hands a network in training mode to every attack there is.
"""

import copy
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest
import torch
from torch import nn
from torch.nn.modules.module import register_module_forward_hook

from pipeline.run.contract import template
from robustinfo.attacks import pgd
from robustinfo.core import checkpoint
from robustinfo.defences import adversarial, entropic, mart, trades
from robustinfo.models import wide_resnet
from robustinfo.training import loop
from tests.staged import staged

STUDY = """
name: modes
seeds: [0]
settings: [{dataset: digits, model: wrn}]
datasets: {digits: {method: digits, size: 8}}
models: {wrn: {method: wide_resnet, depth: 10, width: 1}}
defences: {standard: {method: standard, loss: {method: cross_entropy}}}
training_images: 160
validation_share: 0.1
pretrain: {standard: &training {epochs: 2, batch_size: 16, learning_rate: 0.01, snapshot_every: 1}}
retrain: {}
retrain_from: standard
selection: {settings: [], compared: []}
train_selected: {}
evaluation_images: 20
attacks:
  pgd: &pgd {method: pgd, epsilon: 0.3, step_size: 0.1, steps: 3}
threat: {}
snapshot_attacks: {pgd: *pgd, deepfool: {method: deepfool, norm: l2, epsilon: 5.0, steps: 5}}
measures:
  activation_entropy: {method: activation_entropy}
  kde: {method: kde_information}
  binning: {method: binned_information, width: 0.5}
complexities: {png: {method: png_size}}
transfers: []
distorted: {inputs: [clean], measures: []}
distortions: {shuffled: {method: patch_shuffle, patches: 2}, jpeg: {method: jpeg, quality: 20}}
diagnostics:
  zero_gradients: {method: zero_gradients, epsilon: 0.3}
  epsilon_curve: {method: attack_accuracy, steps: 3, sweep: {epsilon: [0.1, 1.0]}}
learning:
  retrained:
    method: retrained
    distortion: {method: jpeg, sweep: {quality: [20]}}
    training: *training
  shares:
    {method: adversarial_share, adversary: *pgd, shares: [0.5], maps: act, training: *training}
verdict: {twin: standard}
toys: {}
tables: {}
figures: {}
claims: {}
"""
NAMES = {"dataset": "digits", "model": "wrn", "defence": "standard", "seed": "0"}
JUDGING = [
    ("attack", {"attack": "pgd"}),
    ("measure", {}),
    ("distort", {}),
    ("diagnose", {}),
    ("complexity", {}),
]


@contextmanager
def watched():
    """Networks that a stage loads, with their weights; the modes in which BatchNorm was run."""
    loaded, modes, network = [], set(), checkpoint.network

    def remember(held, device):
        loaded.append((network(held, device), held.weights))
        return loaded[-1][0]

    def note(layer, *_):
        if isinstance(layer, nn.BatchNorm2d):
            modes.add(layer.training)

    hook = register_module_forward_hook(note)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(checkpoint, "network", remember)
        yield loaded, modes
    hook.remove()


def untouched(model, weights):
    """Weights and statistics, bit for bit."""
    now = model.state_dict()
    return now.keys() == weights.keys() and all(
        one.equal(weights[name]) for name, one in now.items()
    )


@pytest.fixture(scope="module")
def seen(tmp_path_factory):
    """{what a stage did: (loaded networks, modes of BatchNorm)}, every judging stage run."""
    folder, found = tmp_path_factory.mktemp("modes"), {}
    with staged(folder, STUDY) as (_, run):
        run("prepare", dataset="digits")
        run("pretrain", **NAMES)
        model = Path(template("model").format(study="modes", **NAMES))
        before = model.read_bytes()
        learning = [("learn", {"learning": name}) for name in ("retrained", "shares")]
        for stage, names in JUDGING + learning:
            with watched() as (loaded, modes):
                run(stage, **NAMES, **names)
                intact = [untouched(*one) for one in loaded]
            found[" ".join([stage, *names.values()])] = (loaded, intact, modes)
        assert model.read_bytes() == before
    return found


def test_the_network_has_learned_statistics_that_could_be_spoilt(seen):
    model, _ = seen["distort"][0][0]
    norms = [layer for layer in model.modules() if isinstance(layer, nn.BatchNorm2d)]
    assert len(norms) == 7 and all(norm.num_batches_tracked == 2 * 9 for norm in norms)
    assert all(norm.running_mean.any() and (norm.running_var != 1).any() for norm in norms)


@pytest.mark.parametrize("stage", ["attack pgd", "measure", "distort"])
def test_networks_are_attacked_probed_and_judged_in_eval_mode_and_left_bit_for_bit(seen, stage):
    loaded, intact, modes = seen[stage]
    assert len(loaded) == (3 if stage == "measure" else 1)  # every snapshot
    assert all(intact) and modes == {False}


def test_diagnostics_are_in_eval_mode_and_complexities_run_no_network(seen):
    loaded, intact, modes = seen["diagnose"]
    assert loaded and all(intact) and modes == {False}
    assert seen["complexity"] == ([], [], set())


@pytest.mark.parametrize("name", ["retrained", "shares"])
def test_what_learns_from_a_run_trains_copies_of_its_network(seen, name):
    loaded, intact, modes = seen[f"learn {name}"]
    assert loaded and all(intact) and modes == {False, True}


ATTACK = {"epsilon": 0.1, "step_size": 0.03, "steps": 4}


def network():
    torch.manual_seed(0)
    return wide_resnet.build((1, 8, 8), 10, config=wide_resnet.Config(depth=10, width=1))


def images(n=24):
    generator = torch.Generator().manual_seed(1)
    x = torch.randint(256, (n, 1, 8, 8), dtype=torch.uint8, generator=generator)
    return loop.Images(x, torch.arange(n) % 10)


def untrained_still(model):
    return all(
        norm.num_batches_tracked == 0 and not norm.running_mean.any()
        for norm in model.modules()
        if isinstance(norm, nn.BatchNorm2d)
    )


@pytest.mark.parametrize("clean_share", [0.0, 0.5])
def test_the_inner_attack_moves_no_statistics_and_the_training_step_does_once_per_pass(clean_share):
    model, x, y = network().train(), images().images / 255, images().labels
    twin = copy.deepcopy(model).eval()
    settings = {"loss": {"method": "cross_entropy"}, "attack": ATTACK, "clean_share": clean_share}
    seeded = torch.Generator().manual_seed(0)
    adversarial.loss_terms(
        model, x, y, config=adversarial.Config(**settings), generator=seeded.clone_state()
    )
    x_adv = pgd.craft(twin, x, y, config=pgd.Config(**ATTACK), generator=seeded)
    assert untrained_still(twin)
    twin.train()(x_adv)
    if clean_share:
        twin(x)
    expected = twin.state_dict()
    assert all(tensor.equal(expected[name]) for name, tensor in model.state_dict().items())


@pytest.mark.parametrize("defence, passes", [(adversarial, 1), (trades, 2), (mart, 2)])
def test_an_epoch_of_adversarial_training_counts_what_it_trains_on_and_nothing_else(
    defence, passes
):
    """TRADES and MART train on the clean images and on the adversaries."""
    model = network()
    config = {"epochs": 1, "batch_size": 8, "learning_rate": 0.01, "snapshot_every": 1}
    settings = {"loss": {"method": "cross_entropy"}, "attack": ATTACK}
    known = {key: settings[key] for key in settings.keys() & defence.Config.model_fields.keys()}
    terms = partial(defence.loss_terms, config=defence.Config(**known))
    generator = torch.Generator().manual_seed(0)
    for _ in loop.train(
        model, images(), images(9), terms, config=loop.Config(**config), generator=generator
    ):
        pass
    norms = [layer for layer in model.modules() if isinstance(layer, nn.BatchNorm2d)]
    assert {int(norm.num_batches_tracked) for norm in norms} == {3 * passes}


def test_the_adversary_of_trades_is_made_without_learning_statistics():
    model, (x, y) = network().train(), images()
    before = copy.deepcopy(model.state_dict())
    config = trades.Config(loss={"method": "cross_entropy"}, attack=ATTACK)
    x_adv = trades.adversaries(
        model, x / 255, y, config=config, generator=torch.Generator().manual_seed(0)
    )
    assert not x_adv.equal(x / 255)
    assert all(tensor.equal(before[name]) for name, tensor in model.state_dict().items())
    assert all(layer.training for layer in model.modules())


def test_what_a_defence_measures_before_it_trains_moves_nothing():
    model, (x, y) = network().train(), images()
    before = copy.deepcopy(model.state_dict())
    config = entropic.Config(loss={"method": "cross_entropy"}, weight=1.0, factor=1.5)
    entropic.prepare(model, lambda: [(x / 255, y)], config=config)
    assert all(tensor.equal(before[name]) for name, tensor in model.state_dict().items())
    assert all(layer.training for layer in model.modules())
