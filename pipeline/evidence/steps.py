"""What has to run for one network: the project's own stage programs, in order.

python -m pipeline.evidence.steps --study FILE --dataset D --model M --defence X --seed S

A checkout says so itself, as JSON, of its own study and stages: those of another commit may be
others. Nothing here trains or measures.
"""

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from pipeline.run import paths
from pipeline.study.checked import load
from pipeline.study.slices import in_setting, slices
from robustinfo.core.errors import Fault

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


def of(study: dict[str, Any], names: dict[str, str]) -> dict[str, list[Step]]:
    """The steps of both halves. names: of the run. Data are described before either."""
    own = in_setting(study, names)

    def step(stage: str, **more: str) -> Step:
        about = names | more
        writes = [one.format(study=study["name"], **about) for one in paths.WRITES[stage]]
        return Step(stage, about, writes)

    prepare = Step("prepare", {"dataset": names["dataset"]}, [])  # quick, and so always anew
    training = step(next(one for one in paths.TRAININGS if names["defence"] in own[one]))
    measuring = [step(stage, **more) for stage, more in _measuring(own, names["defence"])]
    # The examples made against a proxy come first: they are kept nowhere else.
    proxies = {one["proxy"] for one in own["transfers"] if one["defence"] == names["defence"]}
    made = [
        step("attack", defence=proxy, attack=name)
        for proxy in sorted(proxies)
        for name in own["attacks"]
    ]
    return {"training": [prepare, training], "measuring": [prepare, *made, *measuring]}


def _measuring(own: dict[str, Any], defence: str) -> Iterator[tuple[str, dict[str, str]]]:
    """The stages whose tables a run of the defence has, each for every entry that it is for."""
    tables = paths.tables(own, defence)
    for stage, writes in paths.WRITES.items():
        if stage in paths.TRAININGS:
            continue
        places = [place for place in paths.EACH if any(place in one for one in writes)]
        if places:
            section = paths.EACH[places[0]]
            yield from ((stage, {places[0].strip("{}"): name}) for name in own[section])
        elif set(writes) & set(tables):
            yield stage, {}


def snapshots(study: dict[str, Any], names: dict[str, str]) -> list[int]:
    """The epochs after which its training keeps the network; the last always is one."""
    stage = next(one for one in paths.TRAININGS if names["defence"] in study[one])
    training = slices(study, stage, names)["training"]
    epochs, every = training["epochs"], training["snapshot_every"]
    return sorted({*range(0, epochs, every), epochs})


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
    except Fault as error:
        sys.exit(f"error: {error}")
