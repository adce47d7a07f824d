"""python -m pipeline evidence VERB, of which `make evidence` is the first:

run                       work through the list until it is finished or stopped
status                    units done, under way and waiting, and the hours left
stop                      stop the runner, and wait until it has ended
page                      write benchmarks/evidence/README.md and studies/coverage.md anew
remeasure UNIT            measure a finished unit again, at the last commit
adopt UNIT RUN_FOLDER --trained-by COMMIT
                          take over a network that was trained elsewhere; it is measured in its turn
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

from pipeline.evidence import existing_networks, page, plan, runner, steps, unit_state


def main(arguments: Sequence[str]) -> None:
    """Run the verb of the command line. Raises UserError."""
    parser = argparse.ArgumentParser(
        "python -m pipeline evidence",
        description=__doc__,
        formatter_class=argparse.RawTextHelpFormatter,
    )
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    for verb in ("run", "status", "stop", "page"):
        verbs.add_parser(verb)
    verbs.add_parser("remeasure").add_argument("unit")
    adopt_parser = verbs.add_parser("adopt")
    adopt_parser.add_argument("unit")
    adopt_parser.add_argument("folder", type=Path)
    adopt_parser.add_argument("--trained-by", required=True, metavar="COMMIT")
    options = parser.parse_args(arguments)
    try:
        _run_verb(options)
    except runner.StoppedError as error:
        print(error)


def _run_verb(options: argparse.Namespace) -> None:
    if options.verb == "run":
        runner.run()
    elif options.verb == "status":
        print("\n".join(status()))
    elif options.verb == "stop":
        print(runner.stop())
    elif options.verb == "page":
        page.write()
    else:
        unit = plan.find_unit(options.unit)
        with runner.hold_lock():
            if options.verb == "adopt":
                print(existing_networks.adopt(unit, options.folder, options.trained_by))
            else:
                existing_networks.remeasure(unit)
                runner.finish_and_report(unit)


def status() -> list[str]:
    """A line per unit, and the hours left: the planned ones without those that were spent."""
    lines, hours_left = [], 0.0
    current = runner.current_unit()
    for unit in plan.units():
        state = unit_state.read(unit)
        spent = sum(state[half]["seconds"] for half in steps.HALVES) / 3600
        under_way = unit_state.path(unit).exists()
        unit_hours = max(unit.hours - spent, 0.0) if under_way or not unit.is_finished else 0.0
        label = "finished" if unit.is_finished else "waiting"
        if under_way:
            label = "at work" if unit.name == current else "begun"
        hours_left += unit_hours
        lines.append(f"{label:9} {unit_hours:5.2f} h left  {unit.name}")
    return [*lines, f"about {hours_left:.1f} core hours left"]
