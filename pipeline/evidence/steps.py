"""Steps of one run: the stage programs that train and measure it, in order.

python -m pipeline.evidence.steps --study FILE --dataset D --model M --defence X --seed S

A checkout prints them as JSON from its own study and stages, which may differ from those of other
commits. Nothing here trains or measures.
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

# Stages of a run that read results of other runs, too: what was selected, or the verdict.
OF_SEVERAL = ("screen", "remedies")


class Step(NamedTuple):
    """One job. writes: its files; it is done when all of them are there."""

    stage: str
    names: dict[str, str]
    writes: list[str]

    def arguments(self, study: str) -> list[str]:
        """Arguments of Python. study: the file."""
        options = [word for name, value in self.names.items() for word in (f"--{name}", value)]
        return ["-m", "pipeline", "stage", self.stage, "--study", study, *options]


def steps_of_run(
    study: dict[str, Any], names: dict[str, str], checkout: Path = Path()
) -> dict[str, list[Step]]:
    """{half: its steps}. names: of the run. Each half begins with the stage prepare."""
    plan = Plan(study, checkout)

    def steps(stage: str, names: dict[str, str]) -> list[Step]:
        jobs = plan.of(stage, **names)
        return [Step(stage, job.names, [*map(str, plan.writes(job).values())]) for job in jobs]

    prepare = Step("prepare", {"dataset": names["dataset"]}, [])  # quick, and so always anew
    training = [step for stage in TRAININGS for step in steps(stage, names)]
    # The examples made against a proxy come first: they are kept nowhere else.
    proxies = sorted(job.all_names["proxy"] for job in plan.of("transfer", **names))
    proxy_attacks = [
        step for proxy in proxies for step in steps("attack", names | {"defence": proxy})
    ]
    measuring = [step for stage in _measuring_stages(plan, names) for step in steps(stage, names)]
    return {"training": [prepare, *training], "measuring": [prepare, *proxy_attacks, *measuring]}


def _measuring_stages(plan: Plan, names: dict[str, str]) -> list[str]:
    """Stages of a trained run: attacks first, then stages that read no examples, then the others.

    Stages that read snapshots precede those that read the network alone. The order is part of the
    fingerprint of finished units (fingerprint.py).
    """
    run_stages = [
        contract
        for stage, contract in plan.contracts.items()
        if names.keys() <= {*contract.names} and stage not in (*TRAININGS, *OF_SEVERAL)
    ]

    def order(contract: Contract) -> tuple[bool, ...]:
        read = {read.artifact for read in contract.reads}
        return "examples" not in contract.writes, "examples" in read, "snapshots" not in read

    return [contract.stage for contract in sorted(run_stages, key=order)]


def snapshots(study: dict[str, Any], names: dict[str, str]) -> list[int]:
    """Epochs of the run's snapshots; the last epoch is always one."""
    training = training_params(study, names)["training"]
    epochs, every = training["epochs"], training["snapshot_every"]
    return sorted({*range(0, epochs, every), epochs})


def training_params(study: dict[str, Any], names: dict[str, str]) -> dict[str, Any]:
    """Parameters of the training of the run."""
    plan = Plan(study)
    (training,) = (job for stage in TRAININGS for job in plan.of(stage, **names))
    return plan.params(training)


def parse_arguments() -> tuple[dict[str, Any], dict[str, str]]:
    """(checked study, names of the run) from the command line."""
    parser = argparse.ArgumentParser()
    for name in ("study", "dataset", "model", "defence", "seed"):
        parser.add_argument(f"--{name}", required=True)
    names = vars(parser.parse_args())
    return load(Path(names.pop("study"))), names


if __name__ == "__main__":
    try:
        print(json.dumps(steps_of_run(*parse_arguments())))
    except UserError as error:
        sys.exit(f"error: {error}")
