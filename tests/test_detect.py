"""What the stages detect and complexity measure, of which images, on digits."""

from pathlib import Path

import pytest
import torch

from pipeline.results import rows
from pipeline.run.contract import template
from pipeline.study.check import load
from robustinfo.complexities import png_size
from robustinfo.datasets._prepared import open_split
from tests.staged import staged

STUDY = """
name: tiny
seeds: [0]
settings: [{dataset: digits, model: lenet5}]
datasets: {digits: {method: digits}}
models: {lenet5: {method: lenet5}}
defences: {plain: {method: standard, loss: {method: cross_entropy}}}
training_images: 400
pretrain: {plain: {epochs: 3, batch_size: 32, learning_rate: 0.01, snapshot_every: 3}}
evaluation_images: 50
attacks: {fgsm: {method: fgsm, epsilon: 0.3}}
complexities: {png: {method: png_size}, deflate: {method: deflate_size}}
detection:
  signs: &signs
    method: additive_noise
    norm: linf
    distribution: signs
    sweep: {epsilon: [2/255, 0.3]}
  strong: {<<: *signs, sweep: {epsilon: [0.3]}}
  fgsm: {method: fgsm, sweep: {epsilon: [0.0, 0.3]}}
diagnostics: {curve: {method: attack_accuracy, steps: 2, sweep: {epsilon: [0.0, 0.3, 1.0]}}}
verdict: {twin: plain}
"""
RUN = {"dataset": "digits", "model": "lenet5", "defence": "plain", "seed": "0"}


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """The rows of every detection and of the complexities, and the clean test images."""
    with staged(tmp_path_factory.mktemp("detect"), STUDY) as (study, run):
        run("prepare", dataset="digits")
        run("pretrain", **RUN)
        run("attack", **RUN, attack="fgsm")
        run("complexity", **RUN)
        files = {"complexity": template("complexities").format(study="tiny", **RUN)}
        for name in study["detection"]:
            run("detect", **RUN, detection=name)
            files[name] = template("detected").format(study="tiny", **RUN, detection=name)
        tables = {name: rows.read(Path(file)) for name, file in files.items()}
        digits = open_split("digits", "test", study["datasets"]["digits"], Path("data"))
        return tables | {"images": torch.tensor(digits.images.tolist(), dtype=torch.uint8)}


def one(table, quantity, level, entry="png"):
    chosen = table.quantity.eq(quantity) & table.entry.eq(entry) & table.level.eq(level)
    (row,) = table[chosen].to_dict("records")
    return row


def test_noise_is_measured_on_all_images_and_changes_each_by_its_size(found):
    clean = png_size.measure(found["images"][:50], config=png_size.Config())
    row = one(found["signs"], "clean_mean", 0.3)
    assert row["n"] == 50 and row["value"] == pytest.approx(clean.mean().item())
    assert one(found["signs"], "median_linf", 2 / 255, "")["value"] == pytest.approx(2 / 255)
    assert one(found["signs"], "auc", 0.3)["value"] == 1
    small, large = (one(found["signs"], "mean", level)["value"] for level in (2 / 255, 0.3))
    assert clean.mean() < small < large


def test_a_level_is_the_same_whatever_was_tried_before_it(found):
    alone, after = found["strong"], found["signs"][found["signs"].level.eq(0.3)]
    assert alone.drop(columns="input").equals(after.drop(columns="input").reset_index(drop=True))


def test_of_an_attack_only_what_still_fools_is_measured(found):
    right = one(found["fgsm"], "attack_success_rate_8bit", 0.3, "")
    assert one(found["fgsm"], "auc", 0.3)["n"] == round(right["value"] * right["n"]) > 5
    nothing = found["fgsm"][found["fgsm"].level.eq(0.0)]
    assert nothing.quantity.tolist() == ["attack_success_rate_8bit"] and not nothing.value.any()


def test_swept_to_the_size_of_a_stored_attack_it_measures_the_same_images(found):
    stored = found["complexity"].assign(level=0.3)
    stored = stored[stored.input.eq("fgsm")]
    for quantity in ("mean", "clean_mean"):
        expected = one(stored[stored.quantity.eq(quantity)], quantity, 0.3)
        assert one(found["fgsm"], quantity, 0.3)["value"] == expected["value"]


def test_clean_images_are_measured_beyond_those_that_are_attacked(found):
    table = found["complexity"]
    (row,) = table[table.input.eq("clean") & table.entry.eq("png")].to_dict("records")
    everything = png_size.measure(found["images"], config=png_size.Config())
    assert row["n"] == len(found["images"]) > 50
    assert row["value"] == pytest.approx(everything.mean().item())


def test_texts_have_no_detection(tmp_path):
    text = STUDY.replace("digits: {method: digits}", "digits: {method: tiny_texts}")
    text = text.replace("lenet5: {method: lenet5}", "lenet5: {method: text_classifier}")
    text = text.replace(
        "fgsm: {method: fgsm, epsilon: 0.3}", "w: {method: word_fgsm, step_size: 1.0, steps: 1}"
    )
    text = text.replace("png: {method: png_size}, deflate: {method: deflate_size}", "")
    (tmp_path / "x.yaml").write_text(text)
    with pytest.raises(ValueError, match="detection: is of images, and digits holds texts"):
        load(tmp_path / "x.yaml")
