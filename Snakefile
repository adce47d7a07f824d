"""A whole study, one rule per stage. `snakemake -n` shows what would run, `snakemake` runs it.

The study is params.yaml, or `--config study=studies/X.yaml`. Everything in it is checked here,
before any job starts.
"""

import shlex
import shutil
import sys
from pathlib import Path

from snakemake.exceptions import WorkflowError
from snakemake.logging import logger
from snakemake.utils import min_version

min_version("9.27")
sys.path[:0] = [workflow.basedir, f"{workflow.basedir}/src"]

from pipeline.results.summary import summary
from pipeline.run import code, driver, driver_lock
from pipeline.run.plan import Plan
from pipeline.run.driver_progress import show_progress
from pipeline.run.threads import threads
from pipeline.study import checked
from robustinfo.core.errors import UserError, message_lines

STUDY = str(config.get("study", "params.yaml"))
# The number of GPUs that one job takes: 1 where there are any. `--config gpu=1` says so where the
# machine that submits has none.
GPU = int(config.get("gpu", shutil.which("nvidia-smi") is not None))
if unknown := set(config) - {"study", "gpu"}:
    raise WorkflowError(
        f"--config knows study and gpu, not {', '.join(unknown)}; numbers stand in {STUDY}"
    )
try:
    THREADS = threads()
    PLAN = Plan(checked.load(Path(STUDY)))
except UserError as error:
    raise WorkflowError(message_lines(str(error))) from None
NAME = PLAN.study["name"]
REPORT = f"results/{NAME}/report.html"

driver.set_job_environment()
DRIVES = not workflow.remote_exec and not workflow.subprocess_exec  # it is no job
SHOWN = workflow.output_settings
if DRIVES and not (SHOWN.dryrun or SHOWN.verbose or SHOWN.printshellcmds):
    show_progress(logger)
if DRIVES and not SHOWN.dryrun:
    try:
        if opened := driver_lock.register(STUDY):
            print(opened, file=sys.stderr, flush=True)
    except UserError as error:
        raise WorkflowError(str(error)) from None
    for handler in logger.handlers:
        handler.addFilter(driver_lock.OneLine())


rule all:
    default_target: True
    input:
        REPORT,


include: "pipeline/rules/stages.smk"
include: "pipeline/rules/targets.smk"


# Only params.yaml is versioned: DVC knows no other study file. Neither step can fail a study.
RECORD = "python -m pipeline dvc record" if STUDY == "params.yaml" else "true"
SHOW = f"python -m pipeline mlflow --study {shlex.quote(STUDY)}"


# One process imports what jobs on this machine need; elsewhere every job does.
onstart:
    if workflow.local_exec and DRIVES:
        driver.start_job_server()


onsuccess:
    print(summary(Path(f"results/{NAME}")), flush=True)
    shell("{RECORD} || true; {SHOW} || true")


onerror:
    shell(f"{RECORD} || true")
