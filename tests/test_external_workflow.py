"""The example study of networks trained elsewhere, smaller, under Snakemake: run, and run again."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.results import rows
from tests.jobs import settle

pytestmark = pytest.mark.slow

STUDY = """
extends: studies/published-models-small.yaml
name: mini
defences: {earlier: {network: weights.safetensors}}
pretrain: {mine: {epochs: 1, snapshot_every: 1}}
evaluation_images: 30
images_per_job: 20
attacks:
  {strong_pgd: null, margin_pgd: null, square: null, a*: null, linf_pgd: {steps: 3}}
"""
OURS = Path("studies/published/checkpoint.safetensors")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("mini")
    with pytest.MonkeyPatch.context() as patch:
        for name in ("Snakefile", "profiles"):
            (folder / name).symlink_to(Path(name).absolute())
        settle(folder, patch)
        patch.setenv("ROBUSTINFO_DATA", str(folder / "data"))
        patch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{folder}/mlflow.db")
        shutil.copy(OURS, "weights.safetensors")
        Path("mini.yaml").write_text(STUDY)
        snakemake("--cores", "1")
        yield folder


def snakemake(*options):
    command = [sys.executable, "-m", "snakemake", *options, "--config", "study=mini.yaml"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_it_ends_in_one_leaderboard_and_has_nothing_to_do_afterwards(folder):
    board = rows.read(Path("results/mini/leaderboard.csv"))
    assert {*board.defence} == {"mine", "plain", "robust", "earlier"}
    assert board.n.eq(30).all() and board.seeds.eq(1).all()
    attacked = Path("results/mini/digits/lenet5/plain/0/attacks/fgsm")
    assert {file.name for file in attacked.iterdir()} == {"0.safetensors", "20.safetensors"}
    assert "Nothing to be done" in snakemake("--dry-run")


def test_another_file_of_weights_is_adopted_and_attacked_again_and_nothing_else_is(folder):
    shutil.copy("results/mini/digits/lenet5/mine/0/model.safetensors", "weights.safetensors")
    said = snakemake("--dry-run")
    for stage, defence in (("adopt", "earlier"), ("attack_slice", "earlier")):
        assert f"logs/mini/{stage}/digits/lenet5/{defence}/0" in said
    assert "logs/mini/attack_slice/digits/lenet5/plain" not in said
    assert "pretrain" not in said
