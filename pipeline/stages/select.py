"""Stage select: the layers on which a defence helps, each tried alone -> the layers to defend.

reads   results/{study}/{dataset}/{model}/selection/{defence}/{seed}.csv  of all that are compared
writes  results/{study}/{dataset}/{model}/selection.csv  the same, and per candidate and seed the
        gain over the first of ``compared``, and ``selected``, 1 or 0, alike for every seed

A layer is selected if its mean gain over the seeds exceeds the margin. If none does, none is: what
waits for a layer is then not trained, and its files hold nothing (absent.py).
"""

import pandas as pd

from pipeline.results import rows
from pipeline.run import paths
from pipeline.run.job import Job


def run(job: Job) -> None:
    """Compare and choose."""
    selection, there = job.params["selection"], job.params["defences"]
    compared = [one for one in selection["compared"] if one in there]
    found = pd.concat(
        _screened(job, defence, seed) for defence in compared for seed in job.params["seeds"]
    )
    table = selected(found, compared[0], selection["margin"])
    rows.write_table(job.path(paths.SELECTED), table)
    print("selected:", ", ".join(layers(table)) or "none")


def selected(found: pd.DataFrame, reference: str, margin: float) -> pd.DataFrame:
    """The rows, one accuracy per defence and seed, with those of gains and of what is chosen."""
    base = found[found.defence == reference].set_index("seed").value
    gains = found[found.defence != reference].copy()
    gains["value"] -= gains.seed.map(base)
    gains["quantity"] = "gain"
    means = gains.groupby("defence", sort=False).value.mean()
    chosen = gains.defence.isin(means.index[means > margin])
    verdicts = gains.assign(quantity="selected", value=chosen.astype(float))
    return pd.concat([found, gains, verdicts], ignore_index=True)


def layers(table: pd.DataFrame) -> list[str]:
    """The layers that a table of ``selected`` chose, in the order of the candidates, if any."""
    hit = table[table.quantity.eq("selected") & table.value.eq(1)].layer
    return list(dict.fromkeys(layer for one in hit for layer in one.split("+")))


def _screened(job: Job, defence: str, seed: int) -> pd.DataFrame:
    table = rows.read(job.path(paths.SCREENED, defence=defence, seed=str(seed)))
    table.insert(0, "defence", defence)
    table.insert(1, "seed", seed)
    return table
