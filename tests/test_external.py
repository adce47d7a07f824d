"""A network that a study did not train is judged as the same weights that it trained."""

import sys
from pathlib import Path

import pytest

from pipeline.results import rows
from robustinfo.core.sealed import unseal
from tests.staged import staged

MODEL = "results/s/digits/m/here/0/model.safetensors"
STUDY = f"""
name: s
seeds: [0, 4]
settings: [{{dataset: digits, model: m}}]
datasets: {{digits: {{method: digits}}}}
models: {{m: {{method: keras_cnn, blocks: [[4], [8]], dense: [16]}}}}
defences:
  here: {{method: entropic, loss: {{method: cross_entropy}}, weight: 0.5, factor: 1.5}}
  file:
    network: {MODEL}
    probes: &probes [conv1, conv2, fc1, fc2]
    activations: &activations [pool1, pool2, act3, softmax]
  function:
    network: elsewhere:net
    files: [{MODEL}]
    probes: *probes
    activations: *activations
verdict: {{twin: file}}
pretrain: {{here: {{epochs: 2, batch_size: 64, learning_rate: 0.002, snapshot_every: 2}}}}
evaluation_images: 70
attacks:
  fgsm: {{method: fgsm, epsilon: 0.1}}
  pgd: {{method: pgd, epsilon: 0.1, step_size: 0.05, steps: 3, restarts: 2}}
  adaptive: {{method: adaptive, epsilon: 0.1, step_size: 0.05, steps: 2, weights: [10.0]}}
snapshot_attacks: {{fgsm: {{method: fgsm, epsilon: 0.1}}}}
measures:
  kde: {{method: kde_information}}
  entropy: {{method: activation_entropy}}
  scale: {{method: logit_scale}}
distortions: {{noise: {{method: linf_noise, epsilon: 0.1}}}}
diagnostics:
  output_checks: {{method: output_checks}}
  curve: {{method: attack_accuracy, norm: linf, steps: 2, sweep: {{epsilon: [0.0, 1.0]}}}}
"""
FUNCTION = f"""
from collections import OrderedDict
from torch import nn
from robustinfo.core import checkpoint

def net():
    ours = checkpoint.network(checkpoint.load("{MODEL}"))
    return nn.Sequential(OrderedDict(ours.named_children()))
"""
RUN = {"dataset": "digits", "model": "m", "seed": "0"}
ELSEWHERE = ("file", "function")


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """The study, with all of its stages run up to the leaderboard."""
    folder = tmp_path_factory.mktemp("external")
    (folder / "elsewhere.py").write_text(FUNCTION)
    with staged(folder, STUDY) as (study, run):
        run("prepare", dataset="digits")
        run("pretrain", **RUN, defence="here")
        for defence in ("here", *ELSEWHERE):
            if defence in ELSEWHERE:
                run("adopt", **RUN, defence=defence)
            for attack in study["attacks"]:
                run("attack", **RUN, defence=defence, attack=attack)
            for stage in ("diagnose", "measure", "distort"):
                run(stage, **RUN, defence=defence)
        yield study, run
    sys.modules.pop("elsewhere", None)


def of_run(defence, name):
    return Path(f"results/s/digits/m/{defence}/0/{name}")


@pytest.mark.parametrize("defence", ELSEWHERE)
def test_attacks_find_the_same_images_to_the_bit(done, defence):
    for attack in done[0]["attacks"]:
        if (defence, attack) == ("function", "adaptive"):
            continue  # a function has no defence whose term it could climb
        found, about = unseal(of_run(defence, f"attacks/{attack}.safetensors"))
        expected, _ = unseal(of_run("here", f"attacks/{attack}.safetensors"))
        assert found.keys() == expected.keys()
        assert all(found[name].equal(expected[name]) for name in expected), attack


def test_the_adaptive_attack_knows_the_defence_of_a_checkpoint(done):
    adaptive = [
        unseal(of_run(name, "attacks/adaptive.safetensors"))[0] for name in ("here", *ELSEWHERE)
    ]
    assert adaptive[0]["x_adv"].equal(adaptive[1]["x_adv"])
    assert not adaptive[0]["x_adv"].equal(adaptive[2]["x_adv"])  # else nothing was compared


@pytest.mark.parametrize("name", ["diagnostics.csv", "distortions.csv", "outcomes.csv"])
def test_diagnostics_distortions_and_outcomes_are_the_same_rows(done, name):
    assert rows.read(of_run("file", name)).equals(rows.read(of_run("here", name)))


@pytest.mark.parametrize("defence", ELSEWHERE)
def test_measures_are_those_of_the_last_snapshot_without_an_epoch(done, defence):
    found, own = (rows.read(of_run(name, "measures.csv")) for name in (defence, "here"))
    last = own[own.epoch == 2].reset_index(drop=True)
    assert found.epoch.isna().all() and {*found.entry} == {"", "kde", "entropy", "scale"}
    named = ~found.layer.isin(["logits"])  # the logits' own name is another one
    assert last.layer[~named].eq("fc2").all()
    assert found[named].drop(columns="epoch").equals(last[named].drop(columns="epoch"))
    assert found.value.equals(last.value)
