"""Keep DVC's record and Snakemake's in step. DVC knows params.yaml only, no other study file.

python -m pipeline dvc generate   dvc.yaml, from params.yaml
python -m pipeline dvc jobs       jobs.json, as its first stage does
python -m pipeline dvc record     after Snakemake: dvc.lock takes over what is up to date
python -m pipeline dvc adopt      after `dvc pull`, `checkout`, `repro`, `exp apply`:
                                 Snakemake takes over what DVC calls clean

Neither ever blesses a stale file: record leaves out what Snakemake would run again, adopt what DVC
calls changed and everything that depends on it.
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
from pipeline.tracking.dvc_stages import FILE, JOBS, STUDY, generated, write_jobs
from robustinfo.core.errors import UserError
from robustinfo.core.files import atomic_write


def record() -> str:
    """Commit to DVC exactly the stages whose every output Snakemake would leave as it is.

    By params.yaml as it is now, of which dvc.yaml is made anew.
    """
    generate()
    write_jobs()
    summary = _run("snakemake", "--summary", "--quiet", "all")
    lines = csv.DictReader(io.StringIO(summary), delimiter="\t", quoting=csv.QUOTE_NONE)
    done_with = {"status": "ok", "plan": "no update"}
    there = {line["output_file"] for line in lines if done_with.items() <= line.items()}
    with Repo() as repo, lock_repo(repo):
        known = [stage for stage in repo.index.stages if stage.cmd]
        done = [
            stage
            for stage in known
            if stage.addressing == JOBS
            or (
                all(out.def_path in there for out in stage.outs)
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
    return f"dvc: recorded {len(done)} of {len(known)} stages"


def adopt() -> str:
    """Tell Snakemake that the outputs of clean stages are up to date, without running anything."""
    write_jobs()
    known = stages()
    clean = known.keys() - stale(known) - {JOBS}
    if outs := [out for name in sorted(clean) for out in known[name].outs]:
        _run("snakemake", "--touch", "--cores", "1", "--quiet", "all", "--", *outs)
    return f"snakemake: adopted {len(clean)} of {len(known) - 1} jobs"


class Stage(NamedTuple):
    """What a stage of dvc.yaml reads and writes."""

    deps: list[str]
    outs: list[str]


def stages() -> dict[str, Stage]:
    """Every stage of dvc.yaml by its name."""
    with Repo() as repo:
        return {
            stage.addressing: Stage(
                [dep.def_path for dep in stage.deps], [out.def_path for out in stage.outs]
            )
            for stage in repo.index.stages
            if stage.cmd
        }


def stale(known: dict[str, Stage]) -> set[str]:
    """The stages that DVC calls changed, and all that read what those write.

    The first one has just been made again: it tells which others changed. The status also lists
    files of the user's own that are no stages, as of ``dvc add``.
    """
    found = set(json.loads(_run("dvc", "status", "--json"))) & known.keys() - {JOBS}
    while True:
        outs = [out for name in found for out in known[name].outs]
        more = {
            name
            for name in known.keys() - found
            if any(
                out == dep or out.startswith(f"{dep}/") for dep in known[name].deps for out in outs
            )
        }
        if not more:
            return found
        found |= more


def generate() -> str:
    """Write dvc.yaml anew."""
    plan = Plan(checked.load(STUDY))
    with atomic_write(FILE) as partial:
        partial.write_text(generated(plan), encoding="utf-8")
    return f"{FILE}: {len(plan.jobs) + 1} stages"


def _run(*command: str) -> str:
    """The command's standard output; its own words, if it fails."""
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(command[:2])} failed:\n{done.stdout}{done.stderr}")
    return done.stdout


def main(words: Sequence[str]) -> None:
    """Do what the one word says. Raises UserError."""
    verbs = {"generate": generate, "jobs": write_jobs, "record": record, "adopt": adopt}
    if [*words] in (["-h"], ["--help"]):
        return print(__doc__)
    if [*words] not in [[verb] for verb in verbs]:
        sys.exit(__doc__)
    try:
        print(verbs[words[0]]())
    except (DvcException, SCMError) as error:  # no repository, or another DVC at work in it
        raise UserError(f"dvc {words[0]}: {error}") from None
