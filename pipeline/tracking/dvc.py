"""Keep DVC's record and Snakemake's in step. DVC knows params.yaml only, no other study file.

python -m pipeline dvc generate   dvc.yaml, from params.yaml
python -m pipeline dvc jobs       jobs.json, as its first stage does
python -m pipeline dvc record     after Snakemake: commit to dvc.lock what is up to date
python -m pipeline dvc adopt      after `dvc pull`, `checkout`, `repro`, `exp apply`:
                                 mark in Snakemake what DVC calls clean

Neither marks a stale file as up to date: record leaves out what Snakemake would run again, adopt
what DVC reports as changed and everything that depends on it.
"""

import csv
import io
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from dvc.exceptions import DvcException
from dvc.repo import Repo, lock_repo
from scmrepo.exceptions import SCMError

from pipeline.run.plan import Plan
from pipeline.study import checked
from pipeline.tracking.dvc_stages import FILE, JOBS, STUDY, dvc_yaml, write_jobs
from robustinfo.core.errors import UserError
from robustinfo.core.files import atomic_write


def record() -> str:
    """Commit to DVC exactly the stages whose outputs Snakemake considers up to date.

    dvc.yaml is first generated from the current params.yaml.
    """
    generate()
    write_jobs()
    summary = _run("snakemake", "--summary", "--quiet", "all")
    lines = csv.DictReader(io.StringIO(summary), delimiter="\t", quoting=csv.QUOTE_NONE)
    finished_line = {"status": "ok", "plan": "no update"}
    up_to_date = {line["output_file"] for line in lines if finished_line.items() <= line.items()}
    with Repo() as repo, lock_repo(repo):
        with_command = [stage for stage in repo.index.stages if stage.cmd]
        done = [
            stage
            for stage in with_command
            if stage.addressing == JOBS
            or (
                all(out.def_path in up_to_date for out in stage.outs)
                and all(Path(dep.def_path).exists() for dep in stage.deps)
            )
        ]
        # The loop of `dvc commit --force --no-relink`, which would read and write dvc.lock anew
        # for every stage that it is given: four minutes instead of 20 s for 117 stages.
        for stage in done:
            stage.save()
            stage.commit(relink=False)
        if done:
            done[0].dvcfile.dump_stages(done, update_pipeline=False)
    return f"dvc: recorded {len(done)} of {len(with_command)} stages"


def adopt() -> str:
    """Mark the outputs of stages that DVC calls clean as up to date in Snakemake."""
    write_jobs()
    all_stages = stages()
    clean = all_stages.keys() - stale_stages(all_stages) - {JOBS}
    if outputs := [output for name in sorted(clean) for output in all_stages[name].outs]:
        _run("snakemake", "--touch", "--cores", "1", "--quiet", "all", "--", *outputs)
    return f"snakemake: adopted {len(clean)} of {len(all_stages) - 1} jobs"


class Stage(NamedTuple):
    """Dependencies and outputs of a stage of dvc.yaml."""

    deps: list[str]
    outs: list[str]


def stages() -> dict[str, Stage]:
    """All stages of dvc.yaml by name."""
    with Repo() as repo:
        return {
            stage.addressing: Stage(
                [dep.def_path for dep in stage.deps], [out.def_path for out in stage.outs]
            )
            for stage in repo.index.stages
            if stage.cmd
        }


def stale_stages(known: dict[str, Stage]) -> set[str]:
    """Stages that DVC calls changed, and all stages that depend on them.

    jobs.json has just been written anew, so that the status shows which jobs changed. The status
    also lists files that are no stages, as of ``dvc add``.
    """
    changed = set(json.loads(_run("dvc", "status", "--json"))) & known.keys() - {JOBS}
    while True:
        outs = [out for name in changed for out in known[name].outs]
        dependent = {
            name
            for name in known.keys() - changed
            if any(
                out == dep or out.startswith(f"{dep}/") for dep in known[name].deps for out in outs
            )
        }
        if not dependent:
            return changed
        changed |= dependent


def generate() -> str:
    """Write dvc.yaml anew."""
    plan = Plan(checked.load(STUDY))
    with atomic_write(FILE) as partial:
        partial.write_text(dvc_yaml(plan), encoding="utf-8")
    return f"{FILE}: {len(plan.jobs) + 1} stages"


def _run(*command: str) -> str:
    """Standard output of a command; exits with the command's output if it fails."""
    process = subprocess.run(command, capture_output=True, text=True)
    if process.returncode:
        sys.exit(f"{' '.join(command[:2])} failed:\n{process.stdout}{process.stderr}")
    return process.stdout


def main(arguments: Sequence[str]) -> None:
    """Run the verb of the command line. Raises UserError."""
    verbs = {"generate": generate, "jobs": write_jobs, "record": record, "adopt": adopt}
    if [*arguments] in (["-h"], ["--help"]):
        return print(__doc__)
    if [*arguments] not in [[verb] for verb in verbs]:
        sys.exit(__doc__)
    try:
        print(verbs[arguments[0]]())
    except (DvcException, SCMError) as error:  # no repository, or another DVC at work in it
        raise UserError(f"dvc {arguments[0]}: {error}") from None
