"""Stage collect: the rows of every run of one network on one data set in one tidy table.

reads   every .csv of results/{study}/{dataset}/{model}/, results/{study}/{dataset}/data.json
writes  results/{study}/collected/{dataset}-{model}.csv  with the runs' names, and Wilson
        intervals of fractions that have no interval of their own; the selection comes last. Of a
        run that was not trained, as no layer was selected for it, there is one row that says so
        results/{study}/standing/{dataset}-{model}.csv  defence, seed, entry, index, correct
"""

import pandas as pd

from pipeline.results import rows, sealed_text
from pipeline.results.statistics import with_intervals
from pipeline.run import paths
from pipeline.run.job import Job
from pipeline.run.untrained import untrained
from robustinfo.core.measurement import exact

UNTRAINED = "untrained"  # the quantity of that row
COLUMNS = ["defence", "seed", "entry", "index", "correct"]


def run(job: Job) -> None:
    """Put all runs under one another; the number of classes joins them as a row of each run."""
    tables, standing = [], []
    setting = {name: job.names[name] for name in ("dataset", "model")}
    for defence in job.params["defences"]:
        for seed in job.params["seeds"]:
            run_names = {"defence": defence, "seed": seed}
            tables.append(of_run(job, setting | run_names))
            if not untrained(job, **run_names):
                standing.append(outcomes_of_run(job, run_names)[COLUMNS])
    if setting in job.params["selection"]["settings"]:
        selection = rows.read(job.path(paths.SELECTED))
        tables.append(selection.assign(**setting)[tables[0].columns])
    rows.write_table(job.path(paths.STANDING), pd.concat(standing, ignore_index=True))
    rows.write_table(job.path(paths.RESULTS), with_intervals(pd.concat(tables, ignore_index=True)))


def of_run(job: Job, names: dict[str, str]) -> pd.DataFrame:
    """All rows of one run with its names, those of ``rows.RUN``; its classes come first."""
    if untrained(job, defence=names["defence"], seed=names["seed"]):
        own = pd.DataFrame(rows.of("train", [exact(UNTRAINED, 1)]))
    else:
        own = pd.concat([_classes(job), *_tables(job, names)], ignore_index=True)
    for position, name in enumerate(rows.RUN):
        own.insert(position, name, names[name])
    return own


def outcomes_of_run(job: Job, names: dict[str, str]) -> pd.DataFrame:
    """What one run leaves standing, image by image, with its defence and seed."""
    table = rows.read(job.path(paths.outcomes(job.params, names["defence"]), **names))
    return table.assign(defence=names["defence"], seed=names["seed"])


def results_of(job: Job) -> pd.DataFrame:
    """The collected rows of every setting of the study, and of every toy, which has no setting.

    Without those of runs that were not trained, of which ``untrained_of`` tells.
    """
    found = _collected(job)
    return found[found.quantity != UNTRAINED].reset_index(drop=True)


def untrained_of(job: Job) -> pd.DataFrame:
    """dataset, model, defence of what was not trained."""
    found = _collected(job)
    names = ["dataset", "model", "defence"]
    return found[found.quantity == UNTRAINED][names].drop_duplicates(ignore_index=True)


def _collected(job: Job) -> pd.DataFrame:
    files = [job.path(paths.RESULTS, **setting) for setting in job.params["settings"]]
    files += [job.path(paths.TOY, toy=toy) for toy in job.params["toys"]]
    return pd.concat([rows.read(file) for file in files], ignore_index=True)


def _tables(job: Job, names: dict) -> list[pd.DataFrame]:
    return [rows.read(job.path(one, **names)) for one in paths.tables(job.params, names["defence"])]


def _classes(job: Job) -> pd.DataFrame:
    manifest = sealed_text.read_json(job.path(paths.DATA))
    return pd.DataFrame(rows.of("data", [exact("classes", len(manifest["classes"]))]))
