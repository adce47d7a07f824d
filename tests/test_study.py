"""Bad input to a study: one error with file, line, key, value and choices, before any job."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.study.check import load
from pipeline.study.per import resolve
from pipeline.study.strict_yaml import StudyError
from tests.jobs import made

GOOD = Path("params.yaml").read_text()
OF_ATTACK = {"dataset": "digits", "model": "lenet5", "defence": "standard", "seed": "0"}
OF_ATTACK |= {"attack": "fgsm"}


def broken(tmp_path, old, new):
    assert old in GOOD
    file = tmp_path / "params.yaml"
    file.write_text(GOOD.replace(old, new, 1))
    return file


SEEDS = "seeds: [0, 1]"
PGD = "linf_pgd: {method: pgd, norm: linf, epsilon: 0.15,"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (PGD, PGD + " stepsize: 1,", r"attacks\.linf_pgd\.stepsize: unknown key.*step_size"),
        (PGD, PGD.replace("0.15", "-0.15"), r"attacks\.linf_pgd\.epsilon: .*greater.*-0\.15"),
        (PGD, PGD.replace("0.15", '"1e-3"'), r"linf_pgd\.epsilon: .*number.*'1e-3'"),
        (PGD, PGD.replace("pgd, ", "pdg, "), r"linf_pgd\.method: no method 'pdg'.*pgd"),
        (PGD, PGD.replace("norm: linf", "norm: l3"), r"linf_pgd\.norm: .*'l2' or 'l1'.*'l3'"),
        ("{method: lenet5}", "{method: lenet5, probes: [conv9]}", r"lenet5: no layer 'conv9'.*fc3"),
        ("epochs: 24", "epochs: many", r"pretrain\.standard\.epochs: .*integer.*'many'"),
        ("epochs: 24", "epochs: 24, optimiser: sgd", r"optimiser: unknown key.*optimizer"),
        ("model: lenet5}", "model: lenet6}", r"settings\.0\.model: no 'lenet6' among lenet5"),
        (SEEDS, SEEDS + "\nretrain_from: entropic", r"retrain_from: no 'entropic' among"),
        (SEEDS, SEEDS + "\nverdict: {twins: 2}", r"verdict\.twins: unknown key.*twin"),
        ("draw: curves", "draw: pie", r"figures\.figure-training\.draw: .*'curves'.*'pie'"),
        ("expect: below", "expect: less", r"claims\.at_lowers_en\.expect: .*'below' or 'above'"),
        (SEEDS, "seeds: [0, 0]", r"seeds: a seed stands twice"),
        (SEEDS, SEEDS + "\nseed: 3", r"seed: unknown key `seed`; did you mean"),
        ("validation_share: 0.1", "validation_share: 1.5", r"validation_share: .*less.*1\.5"),
        ("sweep: {quality: [1,", "sweep: {quality: [101,", r"distortions\.jpeg\.quality: .*101"),
        ("loss: {method: cross_entropy}", "loss: {method: x}", r"loss\.method: no method 'x'"),
        (SEEDS, SEEDS + "\nverdict: {twin: standart}", r"verdict\.twin: no 'standart' among"),
        ("claim: at_lowers_en", "claim: at_low", r"at_lowers_en\.claim: .*no claim 'at_low'"),
        ("[clean, l2_noise, linf_noise]", "[clean, l2_nois]", r"entry: no 'l2_nois'; did you mean"),
        (PGD, PGD.replace("0.15", "{per: {mnist: 0.1}}"), r"epsilon\.per: .*digits/lenet5, else"),
        (PGD, PGD.replace("0.15", "{per: {}}"), r"epsilon\.per: no value for digits/lenet5"),
        ("size: 28", "size: {per: {digits/lenet5: 28}}", r"size\.per: .* to values: digits, else$"),
        (SEEDS, "seeds: {per: {digits: [0]}}", r"seeds\.per: is one for the whole study"),
        ("snapshot_attacks:", "snapshot_attacks:\n  a: {method: adaptive, epsilon: 0.1, steps: 1,"
         " step_size: 0.1}", r"snapshot_attacks\.a\.method: .*without knowing"),
        ("at_lowers_en:\n", "at_lowers_en:\n    statistic: correlation\n    comes_to: fall\n",
         r"at_lowers_en: .*leave `comes_to` out"),
        (PGD, PGD.replace("0.15", "{per: {digits: x}}"), r"linf_pgd\.epsilon: .*number.*'x'"),
        ("epochs: 24", "momentum: 0.9, epochs: 24", r"pretrain\.standard: .*adam takes no"),
        (PGD, PGD.replace("linf_pgd: {", "linf_pgd: {per: {digits: null}}\n  other: {"),
         r"attacks\.linf_pgd: is null in every setting"),
        ("0.3, 1.0]}}", "0.3]}}",
         r"diagnostics\.epsilon_curve\.sweep: .*several values, up to 1 in linf"),
        ("binarization_test: {method: binarization_test, images: 80, adversary: *strong}",
         "binarization_test: {method: binarization_test, adversary: {method: fgsm, epsilon: 0.1}}",
         r"diagnostics\.binarization_test: speaks of an attack that is none of `attacks`"),
        (SEEDS, SEEDS + "\ntransfers: [{defence: entropic, proxy: entropic}]", r"is not its own"),
        (SEEDS, SEEDS + "\ntransfers: [{defence: x, proxy: entropic}]", r"defence: no 'x'; choose"),
        (SEEDS, SEEDS + "\ntransfers: [{defence: entropic, proxy: x}]", r"0\.proxy: no 'x' among"),
        (SEEDS, SEEDS + "\ndistorted: {measures: [kde, kda]}",
         r"distorted\.measures: no 'kda' among activation_entropy, kde, binning"),
        (SEEDS, SEEDS + "\nselection: {settings: [{dataset: digits, model: lenet5}]}",
         r"selection: needs two defences or more in `compared`"),
        (SEEDS, SEEDS + "\nselection: {settings: [{dataset: digits, "
         "model: lenet5}], compared: [standard, entropic]}", r"entropic .*names none"),
        (SEEDS, SEEDS + "\nselection: {settings: [{dataset: x, model: lenet5}]}",
         r"selection\.settings\.0: no such setting"),
        ("  zero_gradients: {method", "  tendency: {method: class_tendency, examples: fast}\n"
         "  zero_gradients: {method", r"diagnostics\.tendency: no attack 'fast' here among"),
        ("  zero_gradients: {method", "  x: {method: broken_after, examples: fgsm, after: fast}\n"
         "  zero_gradients: {method", r"diagnostics\.x: no attack 'fast' here among"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_file_line_key_value_and_choices(tmp_path, old, new, said):
    file = broken(tmp_path, old, new)
    pairs = zip(GOOD.splitlines(), file.read_text().splitlines(), strict=False)
    line = next(number for number, (old, new) in enumerate(pairs, 1) if old != new)
    with pytest.raises(StudyError, match=said) as found:
        load(file)
    where, number, *_ = str(found.value).split(":")
    assert where == str(file)
    assert abs(int(number) - line) <= 1  # the entry's own line, or the one just added below it
    assert "\n" not in str(found.value).strip().splitlines()[0]


def test_a_duplicate_key_is_refused_with_its_line(tmp_path):
    file = broken(tmp_path, "validation_share: 0.1", "validation_share: 0.1\nvalidation_share: 0.2")
    with pytest.raises(StudyError, match=r'params\.yaml:\d+: .*duplicate key "validation_share"'):
        load(file)


def test_a_missing_key_is_named(tmp_path):
    with pytest.raises(StudyError, match=r"seeds: is missing"):
        load(broken(tmp_path, "seeds: [0, 1]", ""))


TEXTS = [
    ("  - {dataset: digits, model: lenet5}", "  - {dataset: texts, model: small}"),
    ("datasets:\n", "datasets:\n  texts: {method: tiny_texts}\n"),
    ("models:\n", "models:\n  small: {method: text_classifier}\n"),
]


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ([], "defences.adversarial_scratch.method: adversarial reads images, and texts holds"),
        ([("model: small", "model: lenet5")], "models.lenet5.method: lenet5 reads images, and te"),
        ([("dataset: texts", "dataset: digits")], "models.small.method: text_classifier reads tex"),
    ],
)  # fmt: skip
def test_images_and_texts_are_not_mixed(tmp_path, more, said):
    text = GOOD
    for old, new in TEXTS + more:
        assert old in text
        text = text.replace(old, new, 1)
    file = tmp_path / "params.yaml"
    file.write_text(text)
    with pytest.raises(StudyError, match=rf"params\.yaml:\d+: {re.escape(said)}"):
        load(file)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("fgsm, norm: linf, epsilon: 0.15}", "word_fgsm, step_size: 0.1, steps: 2}",
         "attacks.fgsm.method: word_fgsm reads texts, and digits holds images"),
        ("{method: png_size}", "{method: text_deflate_size}",
         "complexities.png.method: text_deflate_size reads texts, and digits holds images"),
    ],
)  # fmt: skip
def test_what_reads_texts_cannot_be_used_on_images(tmp_path, old, new, said):
    file = broken(tmp_path, old, new)
    line = next(number for number, one in enumerate(file.read_text().splitlines(), 1) if new in one)
    with pytest.raises(StudyError, match=rf"params\.yaml:{line}: {re.escape(said)}"):
        load(file)


def test_a_defence_is_trained_exactly_once(tmp_path):
    with pytest.raises(StudyError, match=r"defences\.standard: must stand in exactly one of"):
        load(broken(tmp_path, "\nretrain:\n", "\nretrain:\n  standard: {epochs: 1}\n"))


def test_a_figure_says_how_it_is_drawn(tmp_path):
    with pytest.raises(StudyError, match=r"figures\.figure-training: figures, and only they, say"):
        load(broken(tmp_path, "    draw: curves\n", ""))


def test_only_distortions_diagnostics_and_detection_are_swept(tmp_path):
    old = "l2_noise: {method: additive_noise,"
    with pytest.raises(StudyError, match=r"attacks\.l2_noise\.sweep: only distortions, diag"):
        load(broken(tmp_path, old, old + " sweep: {epsilon: [1.0]},"))


def test_a_study_that_is_not_there_names_those_that_are():
    with pytest.raises(StudyError, match=r"studies/none\.yaml: no such study file.*params\.yaml"):
        load(Path("studies/none.yaml"))


def test_numbers_mean_what_dvc_reads(tmp_path):
    """YAML 1.2, as DVC's reader: 1e-3 is a number without a dot as well."""
    study = load(broken(tmp_path, "learning_rate: 0.001", "learning_rate: 1e-3"))
    assert study["pretrain"]["standard"]["learning_rate"] == 0.001


def test_a_stage_gets_its_slices_and_no_more():
    study = load(Path("params.yaml"))
    found = made(study, "attack", **OF_ATTACK | {"defence": "entropic"}).params
    assert set(found) == {"dataset", "model", "defence", "evaluation_images", "attack"}
    assert found["attack"] == study["attacks"]["fgsm"]


def test_a_value_per_setting_is_the_settings_own_and_the_network_beats_the_data_set():
    per = {"per": {"digits": 1, "digits/lenet5": 2, "mnist": {"per": {"mnist": [3]}}}}
    chosen = [
        resolve({"a": [per], "b": 0}, {"dataset": dataset, "model": model})["a"][0]
        for dataset, model in [("digits", "mlp"), ("digits", "lenet5"), ("mnist", "lenet5")]
    ]
    assert chosen == [1, 2, [3]]
    with pytest.raises(StudyError, match=r"no value for stl10/mlp among digits, digits/lenet5"):
        resolve(per, {"dataset": "stl10", "model": "mlp"})


def test_a_stage_reads_the_values_of_its_own_setting():
    study = load(Path("params.yaml"))
    study["attacks"]["fgsm"]["epsilon"] = {"per": {"digits": 0.1}}
    assert made(study, "attack", **OF_ATTACK).params["attack"]["epsilon"] == 0.1


@pytest.mark.parametrize(
    ("mistake", "seed", "attack", "said"),
    [
        ("", "0", "nothing", "error: stage attack has no attack 'nothing' here; choose from fgsm"),
        ("", "zero", "fgsm", "error: stage attack has no seed 'zero' here; choose from 0, 1$"),
        (" stepsize: 1,", "0", "fgsm", "error: .*:38: attacks.linf_pgd.stepsize: unknown key"),
    ],
)  # fmt: skip
def test_a_stage_by_hand_says_a_mistake_in_one_line(tmp_path, mistake, seed, attack, said):
    file = broken(tmp_path, PGD, PGD + mistake)
    names = f"--dataset digits --model lenet5 --defence standard --seed {seed} --attack {attack}"
    stage = ["-m", "pipeline", "stage", "attack", "--study", str(file)]
    command = [sys.executable, *stage, *names.split()]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 1
    assert re.match(said, done.stderr)
    assert len(done.stderr.strip().splitlines()) == 1


def test_an_entry_that_is_null_in_a_setting_does_not_exist_there():
    study = load(Path("params.yaml"))
    study["attacks"]["fgsm"] = {"per": {"digits": None}}
    with pytest.raises(StudyError, match="stage attack has no attack 'fgsm' here; choose from bim"):
        made(study, "attack", **OF_ATTACK)
    run = {name: OF_ATTACK[name] for name in ("dataset", "model", "defence", "seed")}
    assert "fgsm" not in made(study, "diagnose", **run).params["attacks"]


def test_else_serves_the_settings_that_are_not_named():
    choice = {"per": {"mnist": 1, "cifar10/lenet5": 2, "else": None}}
    pairs = {"mnist": "lenet5", "cifar10": "lenet5", "svhn": "lenet5"}
    found = [resolve(choice, {"dataset": d, "model": m}) for d, m in pairs.items()]
    assert found == [1, 2, None] and resolve(choice, {"dataset": "cifar10", "model": "b"}) is None
