"""A network that a study did not train is judged as the same weights that it trained."""

import shutil
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from pipeline.results import rows
from pipeline.run import start
from pipeline.run.plan import Plan
from pipeline.tracking import mlflow_runs
from pipeline.tracking.dvc_stages import _dependencies_and_outputs
from robustinfo.core import checkpoint
from robustinfo.core.errors import UserError
from robustinfo.core.sealed import unseal
from tests.staged import staged

MODEL = "results/s/digits/m/here/0/model.safetensors"
STUDY = f"""
name: s
seeds: [0]
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
  weights:
    network: weights.safetensors
    build: elsewhere:Net
    build_args: {{classes: 10}}
    mean: 0.0
    std: 1.0
    probes: *probes
    activations: *activations
verdict: {{twin: function}}
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
CODE = f"""
from collections import OrderedDict

from torch import nn

from robustinfo.core import checkpoint


def net():
    ours = checkpoint.network(checkpoint.load("{MODEL}"))
    return nn.Sequential(OrderedDict(ours.named_children()))


class Net(nn.Sequential):
    def __init__(self, classes):
        entry = {{"method": "keras_cnn", "blocks": [[4], [8]], "dense": [16]}}
        built = checkpoint.build(entry, (1, 28, 28), classes)
        super().__init__(OrderedDict(built.named_children()))


def colour():
    return nn.Sequential(nn.Conv2d(3, 2, 5), nn.Flatten(), nn.Linear(1152, 10))


def seven():
    return nn.Sequential(nn.Flatten(), nn.Linear(784, 7))
"""
SETTING = {"dataset": "digits", "model": "m"}
RUN = SETTING | {"seed": "0"}
ELSEWHERE = ("file", "function", "weights")
WHOLE = ("leaderboard", "overview", "claims", "report")  # stages of the whole study


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """The study, after all of its stages, and what runs one of them."""
    folder = tmp_path_factory.mktemp("external")
    (folder / "elsewhere.py").write_text(CODE)
    with staged(folder, STUDY) as (study, run):
        run("prepare", dataset="digits")
        run("pretrain", **RUN, defence="here")
        save_file(checkpoint.load(Path(MODEL)).weights, "weights.safetensors")
        for defence in ("here", *ELSEWHERE):
            if defence in ELSEWHERE:
                run("adopt", **RUN, defence=defence)
            for attack in study["attacks"]:
                run("attack", **RUN, defence=defence, attack=attack)
            for stage in ("diagnose", "measure", "distort"):
                run(stage, **RUN, defence=defence)
        for stage in ("collect", "gallery"):
            run(stage, **SETTING)
        run("verdict")
        for defence in ("here", *ELSEWHERE):
            run("remedies", **RUN, defence=defence)
        for stage in WHOLE:
            run(stage)
        yield study, run
    sys.modules.pop("elsewhere", None)


def of_run(defence, name):
    return Path(f"results/s/digits/m/{defence}/0/{name}")


def of_study(name, defence):
    """The lines of a table of the study that are of a defence."""
    table = rows.read(Path("results/s", name))
    return table[table.defence == defence].drop(columns="defence").reset_index(drop=True)


@pytest.mark.parametrize("defence", ELSEWHERE)
@pytest.mark.parametrize("attack", ["fgsm", "pgd"])
def test_an_attack_finds_the_same_to_the_bit(done, defence, attack):
    found, _ = unseal(of_run(defence, f"attacks/{attack}.safetensors"))
    expected, _ = unseal(of_run("here", f"attacks/{attack}.safetensors"))
    assert found.keys() == expected.keys() and expected["success"].any()
    assert all(found[name].equal(expected[name]) for name in expected)


def test_an_adaptive_attack_knows_the_defence_of_a_checkpoint(done):
    here, file, function = (
        unseal(of_run(name, "attacks/adaptive.safetensors"))[0]["x_adv"]
        for name in ("here", "file", "function")
    )
    assert here.equal(file)
    assert not here.equal(function)  # else nothing was compared


@pytest.mark.parametrize("name", ["diagnostics.csv", "distortions.csv", "outcomes.csv"])
def test_diagnostics_distortions_and_outcomes_are_the_same_rows(done, name):
    assert rows.read(of_run("file", name)).equals(rows.read(of_run("here", name)))


@pytest.mark.parametrize("defence", ELSEWHERE)
def test_measures_are_those_of_the_last_snapshot_without_an_epoch(done, defence):
    found, own = (rows.read(of_run(name, "measures.csv")) for name in (defence, "here"))
    last = own[own.epoch == 2].reset_index(drop=True)
    assert found.epoch.isna().all() and {*found.entry} == {"", "kde", "entropy", "scale"}
    named = ~found.layer.isin(["logits"])  # the layer of the logits has a name of its own
    assert last.layer[~named].eq("fc2").all()
    assert found[named].drop(columns="epoch").equals(last[named].drop(columns="epoch"))
    assert found.value.equals(last.value)


@pytest.mark.parametrize("table", ["verdict.csv", "checks.csv"])
def test_the_verdict_and_every_check_are_the_same(done, table):
    expected = of_study(table, "here")
    assert len(expected) and of_study(table, "file").equals(expected)


def test_leaderboard_and_report_name_the_source(done):
    sources = {
        name: of_study("leaderboard.csv", name).source.item() for name in done[0]["defences"]
    }
    others = {"function": "elsewhere:net", "weights": "weights.safetensors"}
    assert sources == {"here": "", "file": MODEL} | others
    page = Path("results/s/report.html").read_text()
    assert page.count("trained elsewhere: <code>") == 3 and "<code>elsewhere:net</code>" in page
    assert "elsewhere:net" in Path("results/s/leaderboard.tex").read_text()


def test_mlflow_says_where_a_run_comes_from(done):
    found, unfinished = mlflow_runs.runs(done[0])
    params = {run.names["defence"]: run.params for run in found}
    assert not unfinished and params["here"]["start"] == "scratch"
    assert params["function"]["start"] == "elsewhere"
    assert params["function"]["defence.network"] == "elsewhere:net"
    assert params["function"]["model.method"] == "-" != params["here"]["model.method"]


def test_both_engines_follow_the_files_of_a_network(done):
    plan = Plan(done[0])
    for defence, file in {
        **dict.fromkeys(ELSEWHERE, MODEL),
        "weights": "weights.safetensors",
    }.items():
        job = plan.job("adopt", SETTING | {"defence": defence, "seed": "0"})
        assert plan.patterns(job) == [file]
        assert file in _dependencies_and_outputs(plan, job)["deps"]


@pytest.mark.parametrize("attack", ["fgsm", "pgd"])
def test_slices_joined_are_the_examples_of_one_job_in_any_order(done, attack):
    """Of an attack without random numbers; of one with some, whatever the order of the slices."""
    sliced = done[0] | {"name": "t", "images_per_job": 30}
    names = RUN | {"defence": "function", "attack": attack}
    shutil.copytree(
        "results/s/digits/m/function/0", "results/t/digits/m/function/0", dirs_exist_ok=True
    )
    shutil.copy("results/s/digits/data.json", "results/t/digits/data.json")
    firsts = [
        job.names["first"]
        for job in Plan(sliced).of("attack_slice", attack=attack, defence="function")
    ]
    assert firsts == ["0", "30", "60"]
    joined = []
    for order in (firsts, firsts[::-1]):
        for first in order:
            start.perform(start.build_job(sliced, "attack_slice", names | {"first": first}))
        job = start.build_job(sliced, "attack", names)
        start.perform(job)
        joined.append(unseal(job.writes["examples"])[0])
    whole, _ = unseal(of_run("function", f"attacks/{attack}.safetensors"))
    first, second = joined
    assert first.keys() == whole.keys() and first["index"].equal(torch.arange(70))
    assert all(first[name].equal(second[name]) for name in first)
    if attack == "fgsm":
        assert all(first[name].equal(whole[name]) for name in ("x_adv", "success", "correct"))
        table = rows.read(job.writes["attacked"])
        assert table.equals(rows.read(of_run("function", "attacks/fgsm.csv")))
    else:
        starts = (first["x_adv"][:30] - first["x_adv"][30:60]).abs().amax((1, 2, 3))
        assert starts.min() > 0


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ({"network": "elsewhere:nut"}, r"has no function 'nut'; it has .*net"),
        ({"network": "nowhere:net"}, "no module 'nowhere'"),
        ({"network": "elsewhere:seven"}, r"gives \(2, 7\) .* logits of the data's 10 classes"),
        ({"network": "elsewhere:colour"}, "elsewhere:colour cannot read 33 images of 1 x 28 x 28"),
        ({"network": "no.safetensors"}, r"no\.safetensors: no such file"),
        ({"network": "elsewhere:net", "probes": ["conv9"]}, "net has no layer 'conv9'; .*conv1"),
    ],
)
def test_what_is_no_network_of_the_data_is_told_by_its_own_job(done, entry, said):
    study = done[0] | {"defences": done[0]["defences"] | {"function": entry}}
    job = start.build_job(study, "adopt", RUN | {"defence": "function"})
    job.writes["model"] = Path("never.safetensors")
    with pytest.raises(UserError, match=said):
        start.perform(job)
    assert not Path("never.safetensors").exists()


def test_a_network_that_has_changed_since_is_refused_by_name(done, monkeypatch):
    module, names = sys.modules["elsewhere"], RUN | {"defence": "function", "attack": "fgsm"}
    changed = module.net()
    with torch.no_grad():
        next(changed.parameters()).mul_(1.001)
    monkeypatch.setattr(module, "net", lambda: changed)
    with pytest.raises(UserError, match=f"elsewhere:net is not .* that {of_run('function', '')}"):
        done[1]("attack", **names)


def test_another_source_under_the_same_name_is_refused(done):
    study = done[0] | {"defences": done[0]["defences"] | {"file": {"network": "elsewhere:net"}}}
    job = start.build_job(study, "diagnose", RUN | {"defence": "file"})
    with pytest.raises(UserError, match=r"is of another network than .*elsewhere:net.*delete it"):
        start.perform(job)


def test_a_network_that_only_answers_is_refused(done, monkeypatch):
    job = start.build_job(done[0], "adopt", RUN | {"defence": "function"})
    monkeypatch.setattr(sys.modules["elsewhere"], "net", lambda x: nn.Linear(1, 1))
    monkeypatch.setattr("pipeline.run.external.sources.model", lambda *_, **__: Answering())
    with pytest.raises(UserError, match="gives answers and no gradients"):
        start.perform(job)


class Answering(nn.Module):
    answers_only = True
