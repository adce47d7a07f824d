"""Keep DVC's record and Snakemake's in step. DVC knows params.yaml only, no other study file.

python -m pipeline.bridge record  after Snakemake: dvc.lock takes over what is up to date
python -m pipeline.bridge adopt   after `dvc pull`, `checkout`, `repro`, `exp apply`: Snakemake
                                  takes over what DVC calls clean

Neither ever blesses a stale file: record leaves out what Snakemake would run again, adopt what DVC
calls changed and everything that depends on it.
"""

import csv
import io
import json
import subprocess
import sys

from dvc.repo import Repo, lock_repo


def record() -> str:
    """Commit to DVC exactly the stages whose every output Snakemake would leave as it is."""
    summary = _run("snakemake", "--summary", "--quiet", "all")
    lines = csv.DictReader(io.StringIO(summary), delimiter="\t", quoting=csv.QUOTE_NONE)
    plan = {line["output_file"]: line["plan"] for line in lines}
    with Repo() as repo, lock_repo(repo):
        stages = [stage for stage in repo.index.stages if stage.cmd]
        done = [s for s in stages if all(plan.get(o.def_path) == "no update" for o in s.outs)]
        # The loop of `dvc commit --force --no-relink`, which would read and write dvc.lock anew
        # for every stage that it is given: four minutes instead of 20 s for 117 stages.
        for stage in done:
            stage.save()
            stage.commit(relink=False)
        if done:
            done[0].dvcfile.dump_stages(done, update_pipeline=False)
    return f"dvc: recorded {len(done)} of {len(stages)} stages"


def adopt() -> str:
    """Tell Snakemake that the outputs of clean stages are up to date, without running anything."""
    stages = _stages()
    changed = set(json.loads(_run("dvc", "status", "--json")))
    while more := {name for name in stages.keys() - changed if _reads(stages, name, changed)}:
        changed |= more
    outs = [out for name, (_, outs) in stages.items() if name not in changed for out in outs]
    if outs:
        _run("snakemake", "--touch", "--cores", "1", "--quiet", "all", "--", *outs)
    return f"snakemake: adopted {len(stages) - len(changed)} of {len(stages)} stages"


def _stages() -> dict[str, tuple[list[str], list[str]]]:
    """{stage: (its dependencies, its outputs)} of dvc.yaml."""
    with Repo() as repo:
        return {
            stage.addressing: ([d.def_path for d in stage.deps], [o.def_path for o in stage.outs])
            for stage in repo.index.stages
            if stage.cmd
        }


def _reads(stages: dict[str, tuple[list[str], list[str]]], name: str, changed: set[str]) -> bool:
    """Does the stage depend on an output of a changed one, or on a folder that holds one?"""
    outs = [out for other in changed for out in stages[other][1]]
    return any(out == dep or out.startswith(f"{dep}/") for dep in stages[name][0] for out in outs)


def _run(*command: str) -> str:
    """The command's standard output; its own words, if it fails."""
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(command[:2])} failed:\n{done.stdout}{done.stderr}")
    return done.stdout


if __name__ == "__main__":
    verbs = {"record": record, "adopt": adopt}
    if sys.argv[1:] not in [[verb] for verb in verbs]:
        sys.exit(__doc__)
    print(verbs[sys.argv[1]]())
