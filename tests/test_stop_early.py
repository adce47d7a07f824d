"""The network of an earlier epoch, chosen on held-out images: which, by what, and told where."""

import pytest
import torch

from pipeline.results import rows
from pipeline.run import load, start
from pipeline.run.contract import template
from pipeline.stages import stop_early
from pipeline.study import early, outline
from pipeline.study import scale as scales
from pipeline.study.selecting import check_where
from pipeline.study.slices import in_setting
from pipeline.study.strict_yaml import StudyError
from robustinfo.core import checkpoint
from robustinfo.evaluation.sources import _request
from robustinfo.evaluation.sources import checkpoint as source
from tests.staged import staged

MART = "{method: mart, attack: {epsilon: 0.1, step_size: 0.1, steps: 1}}"
STUDY = """
name: tiny
seeds: [3]
settings: [{dataset: digits, model: net}]
datasets: {digits: {method: digits, size: 12}}
models: {net: {method: lenet5}}
training_images: 300
validation_share: 0.2
defences:
  plain: {method: standard, loss: {method: cross_entropy}}
  pat: &pat {method: mart, attack: {epsilon: 0.1, step_size: 0.1, steps: 1}}
  pat_early: *pat
pretrain:
  plain: &training {epochs: 4, batch_size: 32, learning_rate: 0.005, snapshot_every: 1}
  pat: *training
stop_early: [{defence: pat_early, of: pat, attack: fgsm}]
evaluation_images: 20
attacks:
  fgsm: {method: fgsm, norm: linf, epsilon: 0.1}
  known: {method: adaptive, norm: linf, epsilon: 0.1, step_size: 0.1, steps: 1}
snapshot_attacks: {fgsm: {method: fgsm, norm: linf, epsilon: 0.1}}
diagnostics:
  curve: {method: attack_accuracy, steps: 1, sweep: {epsilon: [0.0, 0.1, 1.0]}}
verdict: {twin: plain}
tables:
  table-last: {title: Last, rows: [defence], columns: [input],
    where: {stage: measure, quantity: accuracy, epoch: last}}
"""  # fmt: skip
RUN = {"dataset": "digits", "model": "net", "seed": "3"}
EARLY = RUN | {"defence": "pat_early"}


def test_the_most_robust_epoch_is_chosen_and_of_several_the_first():
    assert stop_early.choose({1: 3, 2: 7, 5: 7, 8: 6}) == 2


@pytest.fixture(scope="module")
def chosen(tmp_path_factory):
    """The study, after the choice; every network but that of epoch 2 was ruined before it."""
    folder = tmp_path_factory.mktemp("early")
    with staged(folder, STUDY) as (study, run):
        run("prepare", dataset="digits")
        run("pretrain", **RUN, defence="pat")
        snapshots = folder / template("snapshots").format(study="tiny", **RUN, defence="pat")
        for epoch in (0, 1, 3, 4):
            file = snapshots / f"epoch_{epoch:04}.safetensors"
            one = checkpoint.load(file)
            zeros = {name: torch.zeros_like(weights) for name, weights in one.weights.items()}
            checkpoint.save(file, one._replace(weights=zeros))
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(load, "test_images", lambda job: pytest.fail("test images were read"))
            run("stop_early", **EARLY)
        yield folder, study, run, snapshots


def written(folder, artifact):
    return folder / template(artifact).format(study="tiny", **EARLY)


def test_the_chosen_network_is_that_of_the_snapshot_and_not_the_last(chosen):
    folder, _, _, snapshots = chosen
    found = checkpoint.load(written(folder, "model"))
    theirs = checkpoint.load(snapshots / "epoch_0002.safetensors")
    assert found.weights.keys() == theirs.weights.keys() and found.defence == theirs.defence
    assert all(torch.equal(found.weights[name], one) for name, one in theirs.weights.items())
    assert found.trained_on["chosen_epoch"].startswith("2, of 4 snapshots of 4 epochs, by accuracy")
    request = _request.ModelRequest(shape=(1, 12, 12), classes=10, device=torch.device("cpu"))
    judged = source.load(str(written(folder, "model")), request)
    assert judged.notes == (f"is the network of epoch {found.trained_on['chosen_epoch']}",)
    assert [one.name for one in written(folder, "snapshots").iterdir()] == [
        "epoch_0002.safetensors"
    ]


def test_held_out_accuracy_by_epoch_is_that_of_a_plain_fast_gradient_sign(chosen):
    folder, study, _, snapshots = chosen
    table = rows.read(written(folder, "history")).set_index(["input", "epoch"])
    job = start.build_job(study, "stop_early", EARLY)
    training, held_out = load.training_and_validation(job)
    assert len(training.labels) + len(held_out.labels) == 300
    model = checkpoint.network(checkpoint.load(snapshots / "epoch_0002.safetensors"))
    x, y = (held_out.images.float() / 255).requires_grad_(), held_out.labels
    logits = model(x)
    (gradient,) = torch.autograd.grad(torch.nn.functional.cross_entropy(logits, y), x)
    attacked = model((x + 0.1 * gradient.sign()).clamp(0, 1)).argmax(1) == y
    is_correct = logits.argmax(1) == y
    own = table[table.quantity == "accuracy"]
    assert own.value["clean", 2] == pytest.approx(is_correct.float().mean().item())
    robust = (is_correct & attacked).float().mean().item()
    assert own.value["fgsm", 2] == pytest.approx(robust) and 0 < robust < own.value["clean", 2]
    assert own.value["fgsm", 2] > own.value["fgsm", 4] and own.n.eq(len(y)).all()
    assert table[table.quantity == "chosen_epoch"].value.tolist() == [2]
    assert set(own.index.get_level_values("epoch")) == {1, 2, 3, 4}


def test_its_rows_were_foretold_and_it_is_measured_and_attacked_like_any_other(chosen):
    folder, study, run, _ = chosen
    run("measure", **EARLY)
    run("attack", **EARLY, attack="known")  # by the term of its own defence
    groups = outline.of_study(study)
    measured = rows.read(written(folder, "measures"))
    assert set(measured.epoch) == {2}
    for table in (measured, rows.read(written(folder, "history"))):
        for row in table.itertuples():
            where = {"defence": "pat_early", "stage": row.stage, "quantity": row.quantity}
            where |= {"input": row.input} | ({"epoch": row.epoch} if row.epoch == row.epoch else {})
            assert check_where(groups, where, (), StudyError)


def test_its_scale_is_that_of_the_training_that_it_is_an_epoch_of(chosen):
    _, study, _, _ = chosen
    here = in_setting(study, RUN)
    paper = scales.Scale(training_images=None, test_images=None, epochs=8, seeds=1, network=None)
    assert scales.epochs(here, "pat_early", paper) == "4 of 8 epochs"
    assert early.training_of(here, "pat_early") == here["pretrain"]["pat"]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("of: pat,", "of: pat_early,", r"stop_early\.0\.of: 'pat_early' is trained by neither"),
        ("of: pat,", "of: pad,", r"stop_early\.0\.of: 'pad' .*choose from plain, pat$"),
        ("defence: pat_early,", "defence: pat_erly,", r"0\.defence: no 'pat_erly'; did you mean"),
        ("of: pat,", "of: plain,", r"defences\.pat_early: is an epoch of plain, and must be the"),
        ("attack: fgsm}]", "attack: fast}]", r"0\.attack: no 'fast' here among fgsm, known"),
        ("attack: fgsm}]", "attack: known}]", r"0\.attack: .*without knowing the defence"),
        ("attack: fgsm}]", "attack: fgsm, by: 1}]", r"stop_early\.0\.by: unknown key"),
        ("validation_share: 0.2", "validation_share: 0.0", r"0\.of: .*give a `validation_share`"),
        ("snapshot_every: 1", "snapshot_every: 4", r"0\.of: pat has one snapshot.*snapshot_every`"),
        ("pat_early: *pat", "pat_early: {network: 'mine:net'}", r"\.pat_early: is an epoch of pat"),
        ("  pat: *training", "  pat: *training\n  pat_early: *training", r"exactly one of"),
        ("  pat: &pat {", "  pat: {network: 'mine:net'}\n  other: &pat {", r"`stop_early`"),
        ("stop_early: [", "stop_early: [{defence: pat_early, of: plain, attack: fgsm}, ",
         r"defences\.pat_early: must stand in exactly one"),
        (MART, f"{{method: ib_rar, base: {MART}}}", r"0\.of: pat is changed after its last epoch"),
        ("verdict:", "selection: {settings: [{dataset: digits, model: net}], compared: [plain, "
         "pat_early], attack: fgsm}\nverdict:", r"selection\.compared: pat_early"),
    ],
)  # fmt: skip
def test_nonsense_is_refused_with_its_place(tmp_path, old, new, said):
    assert old in STUDY
    with (
        pytest.raises(StudyError, match=rf"^params\.yaml:\d+: .*{said}"),
        staged(tmp_path, STUDY.replace(old, new, 1)),
    ):
        pytest.fail("it was taken")
