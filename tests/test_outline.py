"""What a study says beforehand of its results is what its stages write: every row, every name."""

from pathlib import Path

import pandas as pd
import pytest

from pipeline.results import rows
from pipeline.study import outline
from pipeline.study.selecting import check_where, values
from pipeline.study.strict_yaml import StudyError
from robustinfo.core import registry
from tests.staged import staged

COLUMNS = [
    "dataset", "model", "defence", "stage", "entry", "input", "epoch", "layer", "level", "quantity",
]  # fmt: skip
TRAINING = "{epochs: 3, batch_size: 16, learning_rate: 0.003, snapshot_every: 2}"
ONE_EPOCH = "{epochs: 1, batch_size: 64, learning_rate: 0.001, snapshot_every: 1}"
BALL = "norm: linf, epsilon: 0.2, step_size: 0.1, steps: 11"
STUDY = f"""
name: tiny
seeds: [0]
settings: [{{dataset: digits, model: lenet5}}]
datasets: {{digits: {{method: digits, size: 12}}}}
models: {{lenet5: {{method: lenet5}}}}
training_images: 600
validation_share: 0.2
defences:
  plain: {{method: standard, loss: {{method: cross_entropy}}}}
  pat:
    {{method: adversarial, loss: {{method: cross_entropy}}, attack: {{{BALL}}}, clean_share: 0.5}}
  entropic: {{method: entropic, loss: {{method: cross_entropy}}, weight: 1.0, factor: 1.65}}
  ib: {{method: ib_rar, base: {{method: mart, attack: {{{BALL}}}}}, masked_share: 0.0}}
pretrain: {{plain: {TRAINING}, pat: {TRAINING}, ib: {TRAINING}}}
retrain: {{entropic: {TRAINING}}}
retrain_from: plain
selection: {{settings: [], compared: []}}
train_selected: {{}}
evaluation_images: 40
attacks:
  fgsm: {{method: fgsm, norm: linf, epsilon: 0.5}}
  pgd: {{method: pgd, {BALL}}}
  carlini_wagner: {{method: carlini_wagner, binary_search_steps: 2, steps: 20,
    step_size: 0.1, initial_const: 9.0}}
  noise: {{method: additive_noise, norm: linf, epsilon: 0.2}}
threat: {{}}
transfers: [{{defence: pat, proxy: plain}}]
snapshot_attacks: {{quick: {{method: fgsm, norm: linf, epsilon: 0.2}}}}
measures:
  activation_entropy: {{method: activation_entropy}}
  binning: {{method: binned_information, width: 0.5}}
  hsic: {{method: hsic, batch_size: 20}}
  hsic_biased: {{method: hsic, estimator: biased, batch_size: 20}}
  kde: {{method: kde_information}}
  logit_scale: {{method: logit_scale}}
  nhsic: {{method: nhsic, batch_size: 20}}
training_measure: activation_entropy
snapshot_diagnostics:
  zero_gradients: {{method: zero_gradients, epsilon: 51/255}}
  curve: {{method: attack_accuracy, steps: 1, sweep: {{epsilon: [0.0, 1.0]}}}}
complexities: {{png: {{method: png_size}}}}
distorted: {{inputs: [clean, quick], measures: [kde, nhsic]}}
distortions:
  noise: {{method: linf_noise, epsilon: 0.15}}
  jpeg: {{method: jpeg, sweep: {{quality: [5, 100]}}}}
learning:
  fitting: {{method: fitting, attacks: [fgsm], training: {ONE_EPOCH}, test_share: 0.5}}
  capacity: {{method: capacity, attacks: [fgsm], hidden: 4, kept: [0, 8], masks: 2, epsilons: [0.5],
              steps: 2, learning_rate: 0.1}}
  retrained: {{method: retrained, distortion: {{method: jpeg, sweep: {{quality: [5, 50]}}}},
               training: {ONE_EPOCH}}}
  share: {{method: adversarial_share, adversary: {{method: fgsm, epsilon: 0.5}}, maps: conv2,
           shares: [0.0, 0.1], training: {ONE_EPOCH}}}
detection:
  noise: {{method: additive_noise, norm: linf, distribution: signs, sweep: {{epsilon: [0.1, 0.3]}}}}
  fgsm: {{method: fgsm, norm: linf, epsilon: 0.5}}
diagnostics:
  closer: {{method: closer, examples: carlini_wagner, other: fgsm}}
  output_checks: {{method: output_checks}}
  zero_gradients: {{method: zero_gradients, epsilon: 51/255}}
  loss_trajectory: {{method: loss_trajectory, {BALL}}}
  binarization_test: {{method: binarization_test, images: 4,
                      adversary: {{method: pgd, {BALL}}}}}
  tendency: {{method: class_tendency, examples: fgsm}}
  margins: {{method: margins, examples: carlini_wagner}}
  distances: {{method: minimal_distances, steps: 2, targets: 1, epsilons: [0.1, 51/255]}}
  loss_landscape: {{method: loss_landscape, images: 2, side: 3}}
  smoothed: {{method: smoothed_accuracy, epsilon: 0.2, sweep: {{steps: [1, 2]}}}}
  broken_after: {{method: broken_after, examples: fgsm, after: carlini_wagner}}
  tsne: {{method: tsne, layers: [fc1], images: 20, perplexity: 5.0}}
  epsilon_curve: {{method: attack_accuracy, steps: 3, sweep: {{epsilon: [0.0, 51/255, 1.0]}}}}
verdict: {{twin: plain}}
toys:
  equality: {{method: boolean_equality}}
  xor: {{method: noisy_xor, points: 8, noise: [0.0, 0.1]}}
  geometry: {{method: geometry, points: 20, draws: 1, spreads: [1.0], within: [0.5], mixed: [0.5],
              shown: 2}}
tables: {{}}
figures: {{}}
claims: {{}}
"""


@pytest.fixture(scope="module")
def collected(tmp_path_factory):
    """The study, and the rows of all its stages, each name of a row once."""
    folder = tmp_path_factory.mktemp("outline")
    with staged(folder, STUDY) as (study, run):
        setting = {"dataset": "digits", "model": "lenet5"}
        run("prepare", dataset="digits")
        for defence in study["defences"]:
            names = {**setting, "defence": defence, "seed": "0"}
            run("retrain" if defence in study["retrain"] else "pretrain", **names)
            for attack in study["attacks"]:
                run("attack", **names, attack=attack)
            for stage in ("measure", "complexity", "distort", "diagnose"):
                run(stage, **names)
            for learning in study["learning"]:
                run("learn", **names, learning=learning)
            for detection in study["detection"]:
                run("detect", **names, detection=detection)
        run("transfer", **setting, defence="pat", seed="0")
        run("collect", **setting)
        for toy in study["toys"]:
            run("toy", toy=toy)
        files = sorted(Path("results/tiny/collected").rglob("*.csv"))
        table = pd.concat([rows.read(file) for file in files], ignore_index=True)
    return study, table[COLUMNS].drop_duplicates()


def asked(row):
    """The filter that selects the row and no other."""
    return {name: None if value != value else value for name, value in row._asdict().items()}


def test_every_row_was_foretold_and_every_name_that_was_foretold_is_written(collected):
    study, table = collected
    groups = outline.of_study(study)
    unseen = {(*one["stage"], name) for one in groups for name in values(one, "quantity")}
    for row in table.itertuples(index=False):
        found = [one for one in groups if holds(one, asked(row))]
        assert len(found) == 1, (row, found)
        unseen -= {(row.stage, row.quantity)}
        unseen -= {(row.stage, "as_*")} if row.quantity.startswith("as_") else set()
    # Those that a study has only with other attacks, or with luck.
    only = {
        f"{role}_only_fraction" for role in ("single_step", "adaptive", "black_box", "ensemble")
    }
    rare = {"noise_only_rate", "adaptive_shortfall", "convergence_gain", "restarts_gain"}
    assert {name for _, name in unseen} <= rare | only


def holds(group, row):
    def refuse(key, problem):
        return StudyError(f"{key}: {problem}")

    wanted = {name: value for name, value in row.items() if value is not None}
    if any(values(group, name) != (None,) for name, value in row.items() if value is None):
        return False
    try:
        return bool(check_where([group], wanted, (), refuse))
    except StudyError:
        return False


@pytest.mark.parametrize("kind", ["measures", "defences", "diagnostics", "learning", "toys"])
def test_every_method_that_writes_rows_says_what_it_calls_them(kind):
    for name in registry.names(kind):
        assert hasattr(registry.module(kind, {"method": name}), "outline"), f"{kind}/{name}.py"
