"""Stage collect: the rows of every run of one network on one data set in one tidy table.

reads   every .csv of results/{study}/{dataset}/{model}/, results/{study}/{dataset}/data.json
writes  results/{study}/collected/{dataset}-{model}.csv  with the runs' names, and Wilson
        intervals of fractions that have no interval of their own; the selection comes last
        results/{study}/standing/{dataset}-{model}.csv  defence, seed, entry, index, correct
"""

import pandas as pd

from pipeline import paths, rows, sealed_text
from pipeline.stage import Job
from pipeline.statistics import with_intervals
from robustinfo.measurement import exact

COLUMNS = ["defence", "seed", "entry", "index", "correct"]


def run(job: Job) -> None:
    """Put all runs under one another; the number of classes joins them as a row of each run."""
    tables, standing = [], []
    setting = {name: job.names[name] for name in ("dataset", "model")}
    for defence in job.params["defences"]:
        for seed in job.params["seeds"]:
            run_names = {"defence": defence, "seed": seed}
            own = pd.concat([_classes(job), *_tables(job, run_names)], ignore_index=True)
            for position, (name, value) in enumerate((setting | run_names).items()):
                own.insert(position, name, value)
            tables.append(own)
            stands = paths.outcomes(job.params, defence)
            outcomes = rows.read(job.path(stands, **run_names))
            standing.append(outcomes.assign(**run_names)[COLUMNS])
    if setting in job.params["selection"]["settings"]:
        selection = rows.read(job.path(paths.SELECTED))
        tables.append(selection.assign(**setting)[tables[0].columns])
    rows.write_table(job.path(paths.STANDING), pd.concat(standing, ignore_index=True))
    rows.write_table(job.path(paths.RESULTS), with_intervals(pd.concat(tables, ignore_index=True)))


def results_of(job: Job) -> pd.DataFrame:
    """The collected rows of every setting of the study, and of every toy, which has no setting."""
    files = [job.path(paths.RESULTS, **setting) for setting in job.params["settings"]]
    files += [job.path(paths.TOY, toy=toy) for toy in job.params["toys"]]
    return pd.concat([rows.read(file) for file in files], ignore_index=True)


def _tables(job: Job, names: dict) -> list[pd.DataFrame]:
    return [rows.read(job.path(one, **names)) for one in paths.tables(job.params, names["defence"])]


def _classes(job: Job) -> pd.DataFrame:
    manifest = sealed_text.read_json(job.path(paths.DATA))
    return pd.DataFrame(rows.of("data", [exact("classes", len(manifest["classes"]))]))
