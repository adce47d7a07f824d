"""python -m pipeline evidence VERB, of which `make evidence` is the first:

run                       go on with the list until it is finished or stopped
status                    units done, under way and waiting, and the hours left
stop                      ask the runner to end, and wait until it has
page                      write benchmarks/evidence/README.md and studies/coverage.md again
remeasure UNIT            measure a finished unit again, at the last commit
adopt UNIT RUN_FOLDER --trained-by COMMIT
                          take over a network that was trained elsewhere; it is measured in its turn
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

from pipeline.evidence import again, begun, page, plan, running, steps


def main(words: Sequence[str]) -> None:
    """Do what the words say. Raises UserError."""
    parser = argparse.ArgumentParser(
        "python -m pipeline evidence",
        description=__doc__,
        formatter_class=argparse.RawTextHelpFormatter,
    )
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    for verb in ("run", "status", "stop", "page"):
        verbs.add_parser(verb)
    verbs.add_parser("remeasure").add_argument("unit")
    adopting = verbs.add_parser("adopt")
    adopting.add_argument("unit")
    adopting.add_argument("folder", type=Path)
    adopting.add_argument("--trained-by", required=True, metavar="COMMIT")
    asked = parser.parse_args(words)
    try:
        _do(asked)
    except running.StoppedError as error:
        print(error)


def _do(asked: argparse.Namespace) -> None:
    if asked.verb == "run":
        running.run()
    elif asked.verb == "status":
        print("\n".join(status()))
    elif asked.verb == "stop":
        print(running.stop())
    elif asked.verb == "page":
        page.write()
    else:
        unit = plan.one(asked.unit)
        with running.alone():
            if asked.verb == "adopt":
                print(again.adopt(unit, asked.folder, asked.trained_by))
            else:
                again.remeasure(unit)
                running.one(unit)


def status() -> list[str]:
    """A line per unit, and the hours left: those of the plan without those that were spent."""
    lines, left = [], 0.0
    now = running.at_work()
    for unit in plan.units():
        state = begun.of(unit)
        spent = sum(state[half]["seconds"] for half in steps.HALVES) / 3600
        under_way = begun.file(unit).exists()
        rest = max(unit.hours - spent, 0.0) if under_way or not unit.is_finished else 0.0
        how = "finished" if unit.is_finished else "waiting"
        if under_way:
            how = "at work" if unit.name == now else "begun"
        left += rest
        lines.append(f"{how:9} {rest:5.2f} h left  {unit.name}")
    return [*lines, f"about {left:.1f} core hours left"]
