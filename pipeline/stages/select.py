"""Stage select: layers on which a defence helps, each tried alone -> the layers to defend.

writes  results/{study}/{dataset}/{model}/selection.csv  the same, and per candidate and seed the
        gain over the first of ``compared``, and ``selected``, 1 or 0, alike for every seed

A layer is selected if its mean gain over the seeds exceeds the margin. If none does, none is: a
defence that waits for a layer is then not trained, and its files are empty (results/untrained.py).
"""

import pandas as pd

from pipeline.results import rows
from pipeline.results.selection import selected_layers
from pipeline.run.job import File, Job

JOBS = {"setting": "selection.settings"}
READS = ["screened"]
WRITES = {"selection": "{dataset}/{model}/selection.csv"}
PARAMS = {"selection": "selection"}


def run(job: Job) -> None:
    """Compare the candidates and select layers."""
    accuracies = pd.concat(_read_screened(file) for file in job.files("screened"))
    table = select_layers(accuracies, accuracies.defence.iloc[0], job.params["selection"]["margin"])
    rows.write_table(job.writes["selection"], table)
    print("selected:", ", ".join(selected_layers(table)) or "none")


def select_layers(accuracies: pd.DataFrame, reference: str, margin: float) -> pd.DataFrame:
    """Rows of accuracy per defence and seed, with those of ``gain`` and ``selected`` added."""
    reference_accuracy = accuracies[accuracies.defence == reference].set_index("seed").value
    gains = accuracies[accuracies.defence != reference].copy()
    gains["value"] -= gains.seed.map(reference_accuracy)
    gains["quantity"] = "gain"
    means = gains.groupby("defence", sort=False).value.mean()
    chosen = gains.defence.isin(means.index[means > margin])
    selections = gains.assign(quantity="selected", value=chosen.astype(float))
    return pd.concat([accuracies, gains, selections], ignore_index=True)


def _read_screened(file: File) -> pd.DataFrame:
    table = rows.read(file.path)
    table.insert(0, "defence", file.names["defence"])
    table.insert(1, "seed", int(file.names["seed"]))
    return table
