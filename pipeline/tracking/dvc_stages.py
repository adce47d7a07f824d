"""params.yaml as DVC has it: dvc.yaml, a stage for every job, and jobs.json, on what each depends.

Both are made from the same plan as Snakemake's rules. DVC compares files and values, and knows
neither what a study inherits nor which code a job runs. Its first stage therefore writes jobs.json:
for every job the digest of its code's meaning and all that it may see of the study. It is made
again after any change of a file, in a moment; another job only if its own part is another.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pipeline.run import code
from pipeline.run.plan import Plan, Planned
from pipeline.study import checked
from pipeline.study.extends import files_of
from robustinfo.core.errors import UserError
from robustinfo.core.files import atomic_write

STUDY = Path("params.yaml")  # the only study that is versioned
FILE = Path("dvc.yaml")
JOBS = "jobs"  # the first stage
COMMAND = "python -m pipeline dvc jobs"
# What DVC shows and compares by itself, by artifact; all else it keeps.
KINDS = {"metrics": "metrics", "figure": "plots"}
HEAD = """\
# Made from {study} by `python -m pipeline dvc generate`; do not edit. A stage for every
# job, the same commands and files as Snakemake's. What a job may see of the study, and its code,
# stand in {jobs}, which the first stage writes.
"""


def jobs_file(study: dict[str, Any]) -> Path:
    """Where every job's parameters and the digest of its code stand."""
    return Path(f"results/{study['name']}/jobs.json")


def write_jobs() -> Path:
    """Write jobs.json. Raises UserError if dvc.yaml is of other jobs than params.yaml asks for."""
    plan = Plan(checked.load(STUDY))
    if not FILE.is_file() or FILE.read_text(encoding="utf-8") != generated(plan):
        raise UserError(f"{FILE} is not of {STUDY} as it is; run `python -m pipeline dvc generate`")
    told = {}
    for name, job in plan.jobs.items():
        params = plan.params(job)
        told[name] = {"code": code.digest(job.contract, params), "params": params}
    file = jobs_file(plan.study)
    with atomic_write(file) as partial:
        partial.write_text(json.dumps(told, indent=1, sort_keys=True) + "\n")
    return file


def generated(plan: Plan) -> str:
    """The text of dvc.yaml."""
    jobs = jobs_file(plan.study)
    files = [*map(str, files_of(STUDY))]
    lines = [HEAD.format(study=STUDY, jobs=jobs) + "params:", f"  - {STUDY}", "stages:"]
    first = {"deps": [*files, "pipeline", "src/robustinfo"], "outs": [str(jobs)]}
    lines += _stage(JOBS, COMMAND, first)
    for name, job in plan.jobs.items():
        lines.append("")
        lines += _stage(name, job.command(str(STUDY)), _files(plan, job), of=str(jobs))
    return "\n".join(lines) + "\n"


def _files(plan: Plan, job: Planned) -> dict[str, list[str]]:
    # DVC follows a folder, of which a pattern selects files.
    found = {"deps": [one.partition("/*")[0] for one in job.contract.files]}
    for files in plan.reads(job).values():
        found["deps"] += [str(file.path) for file in files]
    for artifact, path in plan.writes(job).items():
        found.setdefault(KINDS.get(artifact, "outs"), []).append(str(path))
    return found


def _stage(name: str, command: str, files: dict[str, list[str]], of: str = "") -> Iterator[str]:
    yield f"  {name}:"
    yield f"    cmd: {command}"
    if of:
        yield f"    params: [{{{of}: [{name}]}}]"
    for kind, paths in files.items():
        if paths:
            yield f"    {kind}:"
            yield from (f"      - {path}" for path in dict.fromkeys(paths))
