"""DVC's files for params.yaml: dvc.yaml, a stage per job, and jobs.json, their parameters.

Both are made from the same plan as Snakemake's rules. DVC compares files and values, and knows
neither what a study inherits nor which code a job runs. Its first stage therefore writes jobs.json:
for every job the digest of its code's meaning and its parameters. jobs.json is written anew after
any change of a file; a job runs again only if its own part has changed.
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
# Kinds of output that DVC shows and compares, by artifact; all others are ``outs``.
KINDS = {"metrics": "metrics", "figure": "plots"}
HEAD = """\
# Made from {study} by `python -m pipeline dvc generate`; do not edit. A stage for every
# job, the same commands and files as Snakemake's. What a job may see of the study, and its code,
# stand in {jobs}, which the first stage writes.
"""


def jobs_file(study: dict[str, Any]) -> Path:
    """Path of jobs.json, with every job's parameters and the digest of its code."""
    return Path(f"results/{study['name']}/jobs.json")


def write_jobs() -> Path:
    """Write jobs.json. Raises UserError if dvc.yaml is of other jobs than params.yaml asks for."""
    plan = Plan(checked.load(STUDY))
    if not FILE.is_file() or FILE.read_text(encoding="utf-8") != dvc_yaml(plan):
        raise UserError(f"{FILE} is not of {STUDY} as it is; run `python -m pipeline dvc generate`")
    jobs = {}
    for name, job in plan.jobs.items():
        params = plan.params(job)
        jobs[name] = {"code": code.digest(job.contract, params), "params": params}
    file = jobs_file(plan.study)
    with atomic_write(file) as partial:
        partial.write_text(json.dumps(jobs, indent=1, sort_keys=True) + "\n")
    return file


def dvc_yaml(plan: Plan) -> str:
    """Text of dvc.yaml."""
    jobs = jobs_file(plan.study)
    files = [*map(str, files_of(STUDY))]
    lines = [HEAD.format(study=STUDY, jobs=jobs) + "params:", f"  - {STUDY}", "stages:"]
    first = {"deps": [*files, "pipeline", "src/robustinfo"], "outs": [str(jobs)]}
    lines += _stage(JOBS, COMMAND, first)
    for name, job in plan.jobs.items():
        lines.append("")
        lines += _stage(
            name,
            job.command(str(STUDY)),
            _dependencies_and_outputs(plan, job),
            params_file=str(jobs),
        )
    return "\n".join(lines) + "\n"


def _dependencies_and_outputs(plan: Plan, job: Planned) -> dict[str, list[str]]:
    # DVC follows a folder, of which a pattern selects files.
    paths = {"deps": [pattern.partition("/*")[0] for pattern in plan.patterns(job)]}
    for files in plan.reads(job).values():
        paths["deps"] += [str(file.path) for file in files]
    for artifact, path in plan.writes(job).items():
        paths.setdefault(KINDS.get(artifact, "outs"), []).append(str(path))
    return paths


def _stage(
    name: str, command: str, files: dict[str, list[str]], params_file: str = ""
) -> Iterator[str]:
    yield f"  {name}:"
    yield f"    cmd: {command}"
    if params_file:
        yield f"    params: [{{{params_file}: [{name}]}}]"
    for kind, paths in files.items():
        if paths:
            yield f"    {kind}:"
            yield from (f"      - {path}" for path in dict.fromkeys(paths))
