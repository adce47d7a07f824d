"""What has to run for one network: the project's own stage programs, in order.

python -m pipeline.evidence.steps --study FILE --dataset D --model M --defence X --seed S

A checkout says so itself, as JSON, of its own study and stages: those of another commit may be
others. Nothing here trains or measures.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any, NamedTuple

from pipeline.run.contract import Contract
from pipeline.run.plan import Plan
from pipeline.study.checked import load
from pipeline.study.slices import TRAININGS
from robustinfo.core.errors import UserError

HALVES = ("training", "measuring")


class Step(NamedTuple):
    """One job. writes: its files; it is done when all of them are there."""

    stage: str
    names: dict[str, str]
    writes: list[str]

    def arguments(self, study: str) -> list[str]:
        """What Python is to be started with. study: the file."""
        named = [word for name, value in self.names.items() for word in (f"--{name}", value)]
        return ["-m", "pipeline", "stage", self.stage, "--study", study, *named]


def of(
    study: dict[str, Any], names: dict[str, str], checkout: Path = Path()
) -> dict[str, list[Step]]:
    """The steps of both halves. names: of the run. Data are described before either."""
    plan = Plan(study, checkout)

    def steps(stage: str, names: dict[str, str]) -> list[Step]:
        jobs = plan.of(stage, **names)
        return [Step(stage, one.names, [*map(str, plan.writes(one).values())]) for one in jobs]

    prepare = Step("prepare", {"dataset": names["dataset"]}, [])  # quick, and so always anew
    training = [step for stage in TRAININGS for step in steps(stage, names)]
    # The examples made against a proxy come first: they are kept nowhere else.
    proxies = sorted(job.about["proxy"] for job in plan.of("transfer", **names))
    made = [step for one in proxies for step in steps("attack", names | {"defence": one})]
    measuring = [step for stage in _measuring(plan, names) for step in steps(stage, names)]
    return {"training": [prepare, *training], "measuring": [prepare, *made, *measuring]}


def _measuring(plan: Plan, names: dict[str, str]) -> list[str]:
    """The stages of a trained run: attacks come first, what reads their examples last.

    Between them, what reads snapshots precedes what reads the network alone. The order is part of
    what finished units are compared by (asking.py).
    """
    of_runs = [
        one
        for stage, one in plan.contracts.items()
        if names.keys() <= {*one.names} and stage not in (*TRAININGS, "screen")
    ]

    def place(one: Contract) -> tuple[bool, ...]:
        read = {read.artifact for read in one.reads}
        return "examples" not in one.writes, "examples" in read, "snapshots" not in read

    return [one.stage for one in sorted(of_runs, key=place)]


def snapshots(study: dict[str, Any], names: dict[str, str]) -> list[int]:
    """The epochs after which its training keeps the network; the last always is one."""
    training = asked(study, names)["training"]
    epochs, every = training["epochs"], training["snapshot_every"]
    return sorted({*range(0, epochs, every), epochs})


def asked(study: dict[str, Any], names: dict[str, str]) -> dict[str, Any]:
    """What the training of the run may see of the study."""
    plan = Plan(study)
    (training,) = (job for stage in TRAININGS for job in plan.of(stage, **names))
    return plan.params(training)


def told() -> tuple[dict[str, Any], dict[str, str]]:
    """The checked study and the names of the run, as the command line has them."""
    parser = argparse.ArgumentParser()
    for name in ("study", "dataset", "model", "defence", "seed"):
        parser.add_argument(f"--{name}", required=True)
    names = vars(parser.parse_args())
    return load(Path(names.pop("study"))), names


if __name__ == "__main__":
    try:
        print(json.dumps(of(*told())))
    except UserError as error:
        sys.exit(f"error: {error}")
