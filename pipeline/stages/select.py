"""Stage select: the layers on which a defence helps, each tried alone -> the layers to defend.

writes  results/{study}/{dataset}/{model}/selection.csv  the same, and per candidate and seed the
        gain over the first of ``compared``, and ``selected``, 1 or 0, alike for every seed

A layer is selected if its mean gain over the seeds exceeds the margin. If none does, none is: what
waits for a layer is then not trained, and its files hold nothing (results/untrained.py).
"""

import pandas as pd

from pipeline.results import rows
from pipeline.results.selection import layers
from pipeline.run.job import File, Job

JOBS = {"setting": "selection.settings"}
READS = ["screened"]
WRITES = {"selection": "{dataset}/{model}/selection.csv"}
PARAMS = {"selection": "selection"}


def run(job: Job) -> None:
    """Compare and choose."""
    found = pd.concat(_screened(file) for file in job.files("screened"))
    table = selected(found, found.defence.iloc[0], job.params["selection"]["margin"])
    rows.write_table(job.writes["selection"], table)
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


def _screened(file: File) -> pd.DataFrame:
    table = rows.read(file.path)
    table.insert(0, "defence", file.names["defence"])
    table.insert(1, "seed", int(file.names["seed"]))
    return table
