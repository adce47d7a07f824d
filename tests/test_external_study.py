"""A study with networks that it does not train: its checks, its jobs, and when they run again."""

from pathlib import Path

import pytest

from pipeline.run import code
from pipeline.run.plan import Plan
from pipeline.study.check import load
from pipeline.study.commands import study_in_setting, summary
from pipeline.study.extends import read_study
from pipeline.study.strict_yaml import StudyError
from tests.jobs import STANDARD, settle, small

GOOD = """
name: s
seeds: [3, 5]
settings: [{dataset: digits, model: lenet5}]
datasets: {digits: {method: digits}}
models: {lenet5: {method: lenet5}}
defences:
  mine: {method: standard, loss: {method: cross_entropy}}
  theirs: {network: mine:net, probes: [conv], activations: [act, softmax]}
verdict: {twin: mine}
pretrain:
  mine: {epochs: 2, batch_size: 64, learning_rate: 0.1, snapshot_every: 1}
attacks: {}
measures: {kde: {method: kde_information}}
evaluation_images: 9
tables:
  table-kde:
    title: t
    rows: [defence, layer]
    columns: [quantity]
    where: {stage: measure, entry: kde, epoch: last, quantity: information_input_bits_lower}
"""
IN_EPOCHS = """
figures:
  figure-kde:
    title: t
    rows: [defence, layer]
    columns: [epoch]
    where: {stage: measure, entry: kde, quantity: information_input_bits_lower}
    draw: curves
    x_label: x
    y_label: y
"""


def study(folder, text):
    file = folder / "s.yaml"
    file.write_text(text)
    return load(file)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("network: mine:net", "network: mine:net, method: standard",
         r"defences\.theirs\.method: names a network that was trained elsewhere, and so no"),
        ("network: mine:net", "network: mine:net, proobes: []",
         r"defences\.theirs\.proobes: unknown key.*did you mean `probes`"),
        ("network: mine:net", "network: resnet",
         r"defences\.theirs\.network: 'resnet' names no network .*module:function.*timm:NAME"),
        ("network: mine:net", 'network: "http://localhost:1/"',
         r"defences\.theirs\.network: 'http://localhost:1/' names no network of a study"),
        ("network: mine:net", "network: mine:net, mean: 0.5",
         r"defences\.theirs: `mean` and `std` belong together"),
        ("network: mine:net", "network: mine:net, build_args: 3",
         r"defences\.theirs\.build_args: .*dict.*3"),
        ("pretrain:", "pretrain:\n  theirs: {epochs: 2}",
         r"pretrain\.theirs: is not trained here: `defences` names its network"),
        ("evaluation_images", "training_measure: kde\nevaluation_images",
         r"training_measure: is of the images that theirs was trained on, which was not"),
        ("attacks: {}", "attacks: {}\nlearning: {again: {method: fitting}}",
         r"learning\.again: trains networks like theirs, which was not trained here"),
        ("attacks: {}", "attacks: {}\nselection: {settings: [{dataset: digits, model: lenet5}],"
         " compared: [mine, theirs]}", r"selection\.compared: theirs is not trained here"),
        ("evaluation_images: 9", "images_per_job: 5",
         r"images_per_job: asks for jobs before the test images are counted"),
        ("datasets: {digits: {method: digits}}", "datasets: {digits: {method: tiny_texts}}",
         r"defences\.theirs\.network: reads images, and digits holds texts"),
        ("epoch: last", "epoch: 2, defence: theirs", r"where\.epoch: no 2 where the rest holds"),
        ("tables:", IN_EPOCHS + "tables:",
         r"figures\.figure-kde: some of its rows have no epoch: measure kde .* of theirs"),
    ],
)  # fmt: skip
def test_what_needs_training_and_what_is_no_network_is_refused(tmp_path, old, new, said):
    assert old in GOOD
    with pytest.raises(StudyError, match=rf"s\.yaml:\d+: .*{said}") as found:
        study(tmp_path, GOOD.replace(old, new, 1))
    assert "\n" not in str(found.value)


def test_the_last_epoch_selects_what_has_none_because_it_was_not_trained_here(tmp_path):
    assert study(tmp_path, GOOD)["tables"]
    shown = GOOD.replace("columns: [quantity]", "columns: [quantity, epoch]")
    with pytest.raises(StudyError, match="some of its rows have no epoch"):
        study(tmp_path, shown)


def test_it_has_one_run_and_rows_of_the_first_seed_alone(tmp_path):
    assert "2 defences, 2 seeds: 3 runs" in summary(study(tmp_path, GOOD))
    of_theirs = GOOD.replace("epoch: last", "epoch: last, defence: theirs, seed: 5")
    with pytest.raises(StudyError, match=r"table-kde\.where\.(seed|defence): no .* where the rest"):
        study(tmp_path, of_theirs)
    assert study(tmp_path, of_theirs.replace("seed: 5", "seed: 3"))


def test_resolved_it_shows_every_key_of_the_network(tmp_path):
    found = study_in_setting(study(tmp_path, GOOD), "digits/lenet5")["defences"]["theirs"]
    assert found["network"] == "mine:net" and found["build_args"] == {} and found["mean"] is None


def test_a_network_replaces_an_inherited_method_and_a_method_a_network(tmp_path):
    (tmp_path / "s.yaml").write_text(GOOD)
    heir = tmp_path / "heir.yaml"
    heir.write_text("extends: s.yaml\nname: heir\ndefences: {mine: {network: a:b}, theirs: "
                    "{method: standard, loss: {method: cross_entropy}}}")  # fmt: skip
    found = read_study(heir)[0]["defences"]
    assert found == {"mine": {"network": "a:b"}, "theirs": STANDARD}


SETTINGS = [{"dataset": "d", "model": "m"}, {"dataset": "e", "model": "m"}]
THEIRS = {"per": {"d": {"network": "w.safetensors"}, "else": None}}
TWO = {
    "settings": SETTINGS,
    "datasets": {"d": {"method": "digits"}, "e": {"method": "mnist"}},
    "defences": {"x": STANDARD, "y": THEIRS},
    "seeds": [3, 5],
    "attacks": {"fgsm": {"method": "fgsm", "epsilon": 0.1}},
}


def names(jobs):
    return [job.name.partition("/")[2] for job in jobs]


def test_it_is_adopted_and_attacked_once_with_the_first_seed_where_it_is_there():
    plan = Plan(small(**TWO))
    assert names(plan.of("adopt")) == ["d/m/y/3"]
    assert names(plan.of("attack", defence="y")) == ["d/m/y/3/fgsm"]
    assert names(plan.of("attack", dataset="d", defence="x")) == ["d/m/x/3/fgsm", "d/m/x/5/fgsm"]
    assert not plan.of("pretrain", defence="y")
    (job,) = plan.of("measure", defence="y")
    assert plan.reads(job)["snapshots"] == [] and len(plan.reads(job)["model"]) == 1


def test_it_may_be_the_proxy_of_every_seed():
    plan = Plan(small(**TWO, transfers=[{"defence": "x", "proxy": "y"}]))
    for job in plan.of("transfer", dataset="d"):
        (proxy,) = plan.reads(job)["proxy"]
        assert proxy.names["seed"] == "3" and proxy.names["defence"] == "y"


def test_slices_cover_the_images_and_are_joined_by_the_attack():
    assert not Plan(small(**TWO)).of("attack_slice")
    per = {"per": {"d": 4, "else": None}}
    plan = Plan(small(**TWO, evaluation_images=9, images_per_job=per))
    assert names(plan.of("attack_slice", defence="y")) == [f"d/m/y/3/fgsm/{n}" for n in (0, 4, 8)]
    (job,) = plan.of("attack", defence="y")
    assert [file.path.name for file in plan.reads(job)["slices"]] == [
        "0.safetensors", "4.safetensors", "8.safetensors",
    ]  # fmt: skip
    (whole,) = plan.of("attack", dataset="e", seed="5")
    assert plan.reads(whole)["slices"] == []


def digests(entry):
    plan = Plan(small(**TWO | {"defences": {"x": STANDARD, "y": entry}}))
    for remembered in (code.closure, code._file_meaning, code._imports, code._locate):
        remembered.cache_clear()
    return {name: code.digest(job.contract, plan.params(job)) for name, job in plan.jobs.items()}


@pytest.mark.parametrize("entry", [{"network": "mine:net"}, {"network": "w.pt", "build": "mine:N"}])
def test_an_edit_of_the_code_that_builds_it_runs_its_jobs_again_and_no_others(
    tmp_path, monkeypatch, entry
):
    settle(tmp_path, monkeypatch)
    Path("mine.py").write_text("from part import net\n")
    Path("part.py").write_text("def net():\n    return 1\n")
    before = digests(entry)
    Path("part.py").write_text('def net():\n    """A comment."""\n    return 1\n')
    assert digests(entry) == before
    Path("part.py").write_text("def net():\n    return 2\n")
    after = digests(entry)
    changed = {name for name, one in after.items() if one != before[name]}
    loads = ("adopt", "attack", "diagnose", "measure", "remedies")
    assert changed == {name for name in after if name.split("/")[0] in loads and "/y/" in name} | {
        name for name in after if name.startswith("gallery/")
    }
