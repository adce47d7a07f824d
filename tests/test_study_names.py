"""Names and sizes of a study: none means something else, none shares a file, no size is 8."""

import os
import re
import subprocess
import sys
from itertools import combinations
from pathlib import Path

import pytest

from pipeline.run import code, contract, start
from pipeline.run.start import _lock
from pipeline.study import outline
from pipeline.study.check import load
from pipeline.study.strict_yaml import StudyError
from robustinfo.core.settings import diameter, out_of_scale
from tests.jobs import made, settle, small
from tests.test_outline import STUDY

GOOD = Path("params.yaml").read_text(encoding="utf-8")
PNG, L2_PGD = "  png: {method", "  l2_pgd: {method: pgd, norm: l2,"
DIGITS = "  digits: {method: digits, size: 28}"
BELOW_1 = "pixels are in [0, 1], so it is below 1 in linf, not 8; did you mean 8/255?"


def changed(tmp_path, *changes):
    text = GOOD
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    file = tmp_path / "s.yaml"
    file.write_text(text, encoding="utf-8")
    return file


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (DIGITS, f"{DIGITS}\n  Tables: {{method: digits}}", "datasets.Tables: the name means"),
        (DIGITS, f"{DIGITS}\n  else: {{method: digits}}", "datasets.else: the name means"),
        (L2_PGD, L2_PGD.replace("l2_pgd", "clean"), "attacks.clean: the name means something else"),
        (L2_PGD, L2_PGD.replace("l2_pgd", "attacks"), "attacks.attacks: the name means"),
        ("  output_checks: {method", "  clean: {method", "diagnostics.clean: the name means"),
        (PNG, "  PNG: {method: png_size}\n  png: {method", "differs from PNG by its case only"),
        (PNG, f"  {'a' * 61}: {{method", "String should have at most 60 characters"),
        (PNG, f"  {'ab' * 20}: {{method", "repeats itself; Snakemake takes that for"),
        (PNG, '  "x;touch y": {method', "String should match pattern"),
        (PNG, '  "x\\n": {method', "String should match pattern"),
        ("seeds: [0, 1]", "seeds: [0, 9223372036854775808]", "no number that a study can hold"),
        ("fgsm, norm: linf, epsilon: 0.15}", "fgsm, epsilon: 8}", f"fgsm.epsilon: {BELOW_1}"),
        ("fgsm, norm: linf, epsilon: 0.15}", "fgsm, epsilon: 1}", "did you mean 1/255"),
        ("step_size: 0.03, steps: 10}", "step_size: 8, steps: 10}", f"bim.step_size: {BELOW_1}"),
        ("step_size: 0.05, steps: 5}", "step_size: 8, steps: 5}",
         f"defences.adversarial_scratch.attack.step_size: {BELOW_1}"),
        ("linf_noise, epsilon: 0.15", "linf_noise, epsilon: 8",
         f"distortions.linf_noise.epsilon: {BELOW_1}"),
        ("l2_noise, epsilon: 2.75", "l2_noise, epsilon: 28.1",
         "no two images in [0, 1] are 28.1 apart in l2; here that is at most 28, of 784 values"),
        ("0.3, 1.0]}}", "0.3, 8]}}", f"epsilon_curve.sweep.epsilon: {BELOW_1}"),
        ("{method: output_checks}", "{method: minimal_distances, epsilons: [0.1, 8]}",
         f"output_checks.epsilons: {BELOW_1}"),
        ("name: quickstart", "name: quickstart\nthreat: {linf: 8}", f"threat.linf: {BELOW_1}"),
        ("0.3, 1.0]}}", "0.3, 0.6]}}",
         "sweeps epsilon over [0.0, 0.05, 0.1, 0.15, 0.3, 0.6]; the verdict needs several values, "
         "up to 1 in linf"),
        ("norm: linf, steps: 10, sweep", "norm: l2, steps: 10, sweep", "up to 28 in l2"),
        ("size: 28}", "size: 1000000000}", "less than or equal to 512"),
        ("epochs: 24", "epochs: 1000000000000", "less than or equal to 100000"),
        ("{method: lenet5}", "{method: wide_resnet, width: 10000000}", "no network of a study"),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_refused_with_its_line(tmp_path, old, new, said):
    file = changed(tmp_path, (old, new))
    with pytest.raises(StudyError, match=rf"^{re.escape(str(file))}:\d+: .*{re.escape(said)}"):
        load(file)


@pytest.mark.parametrize(
    "changes",
    [
        [("norm: linf, steps: 10, sweep: {epsilon: [0.0, 0.05, 0.1, 0.15, 0.3, 1.0]}",
          "norm: l2, steps: 10, sweep: {epsilon: [0.0, 1.5, 28]}")],
        [("name: quickstart", "name: quickstart\nthreat: {linf: 39/255, l2: 1.5}")],
        [("step_size: 0.03, steps: 10}", "step_size: 0.9, steps: 10}")],
        [(PNG, "  None: {method")],
        [(PNG, '  "007": {method')],
        [(PNG, "  network: {method")],
    ],
)  # fmt: skip
def test_what_is_unusual_and_can_be_meant_is_taken(tmp_path, changes):
    load(changed(tmp_path, *changes))


def test_judge_and_studies_have_one_rule_of_sizes():
    assert out_of_scale(8, "linf") == BELOW_1 and out_of_scale(8 / 255, "linf") == ""
    assert (
        out_of_scale(8, "l2", 64) == "" and out_of_scale(8.1, "l2", 64) and diameter("l2", 64) == 8
    )
    assert out_of_scale(8.1, "l2") == "" and diameter("linf", 64) == 1


PAIRS = [("a", "b-c"), ("a-b", "c"), ("a_b", "c"), ("a", "b_c"), ("toy", "a"), ("toy-a", "b")]


@pytest.mark.parametrize("artifact", ["results", "per_image", "gallery", "selection"])
def test_no_two_settings_and_no_toy_share_a_file(artifact):
    template, of_toy = contract.template(artifact), contract.read_all()["toy"].writes["results"]
    files = [template.format(study="s", dataset=one, model=other) for one, other in PAIRS]
    files += [of_toy.format(study="s", toy=toy) for toy in ("a", "toy", "toy-a", "b-c")]
    assert len({*files}) == len(files)
    for one, other in combinations(files, 2):  # a file is no other's folder
        assert Path(one) not in Path(other).parents


def test_jobs_whose_names_join_to_the_same_text_have_locks_of_their_own(tmp_path, monkeypatch):
    settings = [{"dataset": one, "model": other} for one, other in PAIRS]
    kinds = {kind: {one[kind[:-1]]: {} for one in settings} for kind in ("datasets", "models")}
    study = small(settings=settings, **kinds)
    settle(tmp_path, monkeypatch)
    jobs = [made(study, "gallery", **setting) for setting in settings]
    locks = [_lock(job) for job in jobs]  # none is taken
    assert all(lock.is_locked for lock in locks)
    monkeypatch.setattr(start, "ORPHAN_SECONDS", 0)
    with pytest.raises(StudyError, match="another process is at gallery"):
        _lock(jobs[0])


@pytest.mark.parametrize("name", ["network", "loss", "base", "adversary", "distortion"])
def test_an_entry_may_be_called_like_a_key_of_an_entry(tmp_path, name):
    study = load(
        changed(tmp_path, ("  square: {", f"  {name}: {{method: deepfool}}\n  square: {{"))
    )
    run = {"dataset": "digits", "model": "lenet5", "defence": "standard", "seed": "0"}
    params = made(study, "diagnose", **run).params
    files = code.source_files(contract.read_all()["diagnose"], params)
    assert "src/robustinfo/attacks/deepfool.py" in files


def test_both_settings_of_names_that_join_alike_are_planned(tmp_path):
    text = STUDY
    for old, new in {
        "[{dataset: digits, model: lenet5}]": "[{dataset: digits-small, model: lenet5}, "
        "{dataset: digits, model: small-lenet5}]",
        "datasets: {": "datasets: {digits-small: {method: digits, size: 16}, ",
        "models: {": "models: {small-lenet5: {method: lenet5}, ",
    }.items():
        assert old in text
        text = text.replace(old, new, 1)
    file = tmp_path / "s.yaml"
    file.write_text(text, encoding="utf-8")
    groups = outline.of_study(load(file))
    found = {(*one["dataset"], *one["model"]) for one in groups if "dataset" in one}
    assert found == {("digits-small", "lenet5"), ("digits", "small-lenet5")}


def test_a_path_with_spaces_and_signs_of_the_shell_stays_one_word(tmp_path):
    folder = tmp_path / "my studies; touch PWNED & $HOME 'x'"
    folder.mkdir()
    file = folder / "s.yaml"
    file.write_text(GOOD.replace("name: quickstart", "name: spaced", 1), encoding="utf-8")
    for name in ("Snakefile", "pipeline", "src", "studies", "profiles"):
        (tmp_path / name).symlink_to(Path(name).absolute())
    command = [sys.executable, "-m", "snakemake", "--cores", "1", "--config", f"study={file}",
               "--", "results/spaced/digits/data.json"]  # fmt: skip
    environment = os.environ | {"ROBUSTINFO_DATA": str(tmp_path / "data")}
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr[-2000:]
    assert (tmp_path / "results/spaced/digits/data.json").exists()
    assert not (tmp_path / "PWNED").exists()
