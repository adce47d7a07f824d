"""A whole study, one rule per stage. `snakemake -n` shows what would run, `snakemake` runs it.

The study is params.yaml, or `--config study=studies/X.yaml`. Everything in it is checked here,
before any job starts.
"""

import os
import shutil
import sys
from pathlib import Path

from snakemake.exceptions import WorkflowError
from snakemake.utils import min_version

min_version("9.27")
sys.path[:0] = [workflow.basedir, f"{workflow.basedir}/src"]

from pipeline import paths, slices, sources, study
from robustinfo.faults import Fault

STUDY = config.get("study", "params.yaml")
# The number of GPUs that one job takes: 1 where there are any. `--config gpu=1` says so where the
# machine that submits has none.
GPU = int(config.get("gpu", shutil.which("nvidia-smi") is not None))
THREADS = int(os.environ.get("ROBUSTINFO_THREADS", "1"))
if unknown := set(config) - {"study", "gpu"}:
    raise WorkflowError(
        f"--config knows study and gpu, not {', '.join(unknown)}; numbers stand in {STUDY}"
    )
try:
    CONTENT = study.load(Path(STUDY))
except Fault as error:
    raise WorkflowError(str(error)) from None
NAME = CONTENT["name"]

# Jobs find this Python's programs whether or not its environment is activated, and end with it.
os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
os.environ["ROBUSTINFO_DRIVER"] = str(os.getpid())


wildcard_constraints:
    study=NAME,
    dataset="|".join(CONTENT["datasets"]),
    model="|".join(CONTENT["models"]),
    defence="|".join(CONTENT["defences"]),
    seed=r"\d+",
    attack="|".join(CONTENT["attacks"]),


def code(stage):
    """The project files that a job of the stage runs."""
    return lambda wildcards: sources.code(CONTENT, stage, dict(wildcards.items()))


def used(stage):
    """The only part of the study that a job of the stage may read."""
    return lambda wildcards: slices.slices(CONTENT, stage, dict(wildcards.items()))


def runs(*templates):
    """The files of every run of one network on one data set."""
    return lambda wildcards: [
        template.format(**wildcards, defence=defence, seed=seed, attack=attack)
        for template in templates
        for defence in CONTENT["defences"]
        for seed in CONTENT["seeds"]
        for attack in (CONTENT["attacks"] if "{attack}" in template else [""])
    ]


def attacks(template):
    """The files of every attack on one run."""
    return lambda wildcards: [
        template.format(**wildcards, attack=attack) for attack in CONTENT["attacks"]
    ]


def targets(template, section):
    """The files of every table or figure."""
    return [template.format(study=NAME, target=target) for target in CONTENT[section]]


rule all:
    default_target: True
    input:
        paths.REPORT.format(study=NAME),


include: "pipeline/rules/train.smk"
include: "pipeline/rules/test.smk"
include: "pipeline/rules/conclude.smk"


# Only params.yaml is versioned: DVC knows no other study file. Neither step can fail a study.
RECORD = "python -m pipeline.bridge record" if STUDY == "params.yaml" else "true"
SHOW = f"python -m pipeline.show --study {STUDY}"


onsuccess:
    shell(f"{RECORD} || true; {SHOW} || true")


onerror:
    shell(f"{RECORD} || true")
