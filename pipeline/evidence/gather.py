"""All that one finished run says, in two small tables.

python -m pipeline.evidence.gather --study FILE --dataset D --model M --defence X --seed S

reads   every table of the run; .../earlier.csv, if there is one: measures of snapshots that are
        not here any more
writes  .../evidence/rows.csv      the rows that the stage collect makes of the run
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
from pipeline.results.collected import of_run
from pipeline.run.plan import Plan
from robustinfo.core.errors import UserError

ROWS, OUTCOMES = RUN + "/evidence/rows.csv", RUN + "/evidence/outcomes.csv"


def run(study: dict[str, Any], names: dict[str, str]) -> None:
    """Put all tables of the run together. Raises UserError where an epoch is measured nowhere."""
    plan = Plan(study)
    read = plan.reads(plan.job("collect", {name: names[name] for name in ("dataset", "model")}))

    def own(role: str) -> list[Path]:
        return [one.path for one in read[role] if names.items() <= one.names.items()]

    if not own("model"):
        raise UserError(f"{study['name']} has no run {'/'.join(names.values())}")
    (data,), (model,) = (one.path for one in read["data"]), own("model")
    table = of_run(names, data, model, own("tables"))
    folder = model.parent
    if (earlier := folder / Path(EARLIER).name).exists():
        table = with_earlier(table, rows.read(earlier).assign(**names))
    measured = set(table[table.stage == "measure"].epoch)
    if missing := set(steps.snapshots(study, names)) - measured:
        found = ", ".join(map(str, sorted(missing)))
        raise UserError(f"{folder / 'measures.csv'} and {earlier} lack the epochs {found}")
    about = {"study": study["name"], **names}
    rows.write_table(Path(ROWS.format(**about)), table)
    rows.write_table(Path(OUTCOMES.format(**about)), packed(rows.read(own("outcomes")[-1])))


def with_earlier(table: pd.DataFrame, earlier: pd.DataFrame) -> pd.DataFrame:
    """The rows, before those of the stage measure the earlier ones of epochs that these lack."""
    measures = table.stage == "measure"
    more = earlier[~earlier.epoch.isin(table[measures].epoch)][table.columns]
    others, own = table[~measures], table[measures]
    return pd.concat([others, more, own], ignore_index=True)


def packed(outcomes: pd.DataFrame) -> pd.DataFrame:
    """A row per entry. outcomes: entry, index (from 0, without holes), correct (1 or 0)."""
    found = []
    for entry, own in outcomes.groupby("entry", sort=False):
        bits = own.sort_values("index").correct.to_numpy(bool)
        found.append(
            {"entry": entry, "n": len(bits), "correct_bits": np.packbits(bits).tobytes().hex()}
        )
    return pd.DataFrame(found)


if __name__ == "__main__":
    try:
        run(*steps.told())
    except UserError as error:
        sys.exit(f"error: {error}")
