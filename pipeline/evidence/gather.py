"""All results of one finished run, in two small tables.

python -m pipeline.evidence.gather --study FILE --dataset D --model M --defence X --seed S

reads   every table of the run; .../earlier.csv, if there is one: measures of snapshots that no
        longer exist
writes  .../evidence/rows.csv      the run's rows as of the stage collect
        .../evidence/outcomes.csv  entry, n, correct_bits: one bit per image in hexadecimal
                                   digits, that of the first image first, ended by zeros
"""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pipeline.evidence import steps
from pipeline.evidence.units import EARLIER, RUN
from pipeline.results import rows
from pipeline.results.collected import rows_of_run
from pipeline.run.plan import Plan
from robustinfo.core.errors import UserError

ROWS, OUTCOMES = RUN + "/evidence/rows.csv", RUN + "/evidence/outcomes.csv"


def run(study: dict[str, Any], names: dict[str, str]) -> None:
    """Write both tables of the run. Raises UserError where a snapshot has no measures."""
    plan = Plan(study)
    read = plan.reads(plan.job("collect", {name: names[name] for name in ("dataset", "model")}))

    def paths(role: str) -> list[Path]:
        return [file.path for file in read[role] if names.items() <= file.names.items()]

    if not paths("model"):
        raise UserError(f"{study['name']} has no run {'/'.join(names.values())}")
    (data,), (model,) = (file.path for file in read["data"]), paths("model")
    table = rows_of_run(names, data, model, paths("tables"))
    folder = model.parent
    if (earlier := folder / Path(EARLIER).name).exists():
        table = with_earlier(table, rows.read(earlier).assign(**names))
    measured = set(table[table.stage == "measure"].epoch)
    if missing := set(steps.snapshots(study, names)) - measured:
        epochs_text = ", ".join(map(str, sorted(missing)))
        raise UserError(f"{folder / 'measures.csv'} and {earlier} lack the epochs {epochs_text}")
    names_of_run = {"study": study["name"], **names}
    rows.write_table(Path(ROWS.format(**names_of_run)), table)
    outcomes = pack_bits(rows.read(paths("outcomes")[-1]))
    rows.write_table(Path(OUTCOMES.format(**names_of_run)), outcomes)


def with_earlier(table: pd.DataFrame, earlier: pd.DataFrame) -> pd.DataFrame:
    """The rows with earlier measures inserted, of epochs without any; both tables of one run."""
    is_measure = table.stage == "measure"
    earlier_measures = earlier[~earlier.epoch.isin(table[is_measure].epoch)][table.columns]
    other_rows, measures = table[~is_measure], table[is_measure]
    return pd.concat([other_rows, earlier_measures, measures], ignore_index=True)


def pack_bits(outcomes: pd.DataFrame) -> pd.DataFrame:
    """Rows entry, n, correct_bits. outcomes: entry, index (from 0, without gaps), correct."""
    lines = []
    for entry, rows_of_entry in outcomes.groupby("entry", sort=False):
        bits = rows_of_entry.sort_values("index").correct.to_numpy(bool)
        lines.append(
            {"entry": entry, "n": len(bits), "correct_bits": np.packbits(bits).tobytes().hex()}
        )
    return pd.DataFrame(lines)


if __name__ == "__main__":
    try:
        run(*steps.parse_arguments())
    except UserError as error:
        sys.exit(f"error: {error}")
