"""A whole study, one rule per stage. `snakemake -n` shows what would run, `snakemake` runs it.

The study is params.yaml, or `--config study=studies/X.yaml`. Everything in it is checked here,
before any job starts.
"""

import shlex
import shutil
import sys
from functools import partial
from pathlib import Path

from snakemake.exceptions import WorkflowError
from snakemake.utils import min_version

min_version("9.27")
sys.path[:0] = [workflow.basedir, f"{workflow.basedir}/src"]

from pipeline.run import driver, inputs, paths
from pipeline.study import checked
from robustinfo.core.errors import Fault

STUDY = str(config.get("study", "params.yaml"))
# The number of GPUs that one job takes: 1 where there are any. `--config gpu=1` says so where the
# machine that submits has none.
GPU = int(config.get("gpu", shutil.which("nvidia-smi") is not None))
if unknown := set(config) - {"study", "gpu"}:
    raise WorkflowError(
        f"--config knows study and gpu, not {', '.join(unknown)}; numbers stand in {STUDY}"
    )
try:
    THREADS = driver.threads()
    CONTENT = checked.load(Path(STUDY))
except Fault as error:
    raise WorkflowError(str(error)) from None
NAME = CONTENT["name"]

# What rules say about inputs and parameters, of this study.
code = partial(inputs.code, CONTENT)
used = partial(inputs.used, CONTENT)
runs = partial(inputs.runs, CONTENT)
attacks = partial(inputs.attacks, CONTENT)
targets = partial(inputs.targets, CONTENT)

driver.lead()


wildcard_constraints:
    study=NAME,
    dataset="|".join(CONTENT["datasets"]),
    model="|".join(CONTENT["models"]),
    defence="|".join(CONTENT["defences"]),
    seed=r"\d+",
    attack="|".join(CONTENT["attacks"]),
    learning="|".join(CONTENT["learning"]) or "(?!)",
    detection="|".join(CONTENT["detection"]) or "(?!)",
    toy="|".join(CONTENT["toys"]) or "(?!)",


rule all:
    default_target: True
    input:
        paths.REPORT.format(study=NAME),


include: "pipeline/rules/train.smk"
include: "pipeline/rules/test.smk"
include: "pipeline/rules/conclude.smk"


# Only params.yaml is versioned: DVC knows no other study file. Neither step can fail a study.
RECORD = "python -m pipeline.tracking.dvc record" if STUDY == "params.yaml" else "true"
SHOW = f"python -m pipeline.tracking.show --study {shlex.quote(STUDY)}"


# One process imports what jobs on this machine need; elsewhere every job does.
onstart:
    if (
        workflow.local_exec
        and not workflow.remote_exec
        and not workflow.subprocess_exec
    ):
        driver.serve()


onsuccess:
    shell(f"{RECORD} || true; {SHOW} || true")


onerror:
    shell(f"{RECORD} || true")
