"""Stage verdict: per defence, robust accuracy with its interval, every check, and the verdict.

reads   results/{study}/collected/*.csv, results/{study}/standing/*.csv
writes  results/{study}/verdict.csv   one line per data set, model and defence; of settings in which
                                      some attack counts: the others lack a threat model; asked:
                                      how many of the checks that decide
        results/{study}/checks.csv    every check behind it: value, threshold, failed or not run
        results/{study}/metrics.json  the headline numbers, for ``dvc metrics``
"""

import json
from collections.abc import Iterator

import pandas as pd

from pipeline import paths, rows
from pipeline.collect import results_of
from pipeline.combined import counting
from pipeline.informed import information
from pipeline.stage import Job, main
from pipeline.statistics import chosen, over_all, over_seeds
from robustinfo.evidence import Said, evidence
from robustinfo.files import whole
from robustinfo.judging import DECIDING, RULES, Check, Thresholds, judge
from robustinfo.maths.intervals import gain

COLUMNS = [
    "dataset", "model", "defence", "verdict", "clean_accuracy", "robust_accuracy", "low", "high",
    "n", "seeds", "strongest", "strongest_leaves", "asked",
]  # fmt: skip


def run(job: Job) -> None:
    """Judge every defence of every setting."""
    thresholds = Thresholds(**job.params["verdict"])
    results = results_of(job)
    verdicts, checks, metrics = [], [], {}
    for names, attacks in _threatened(job):
        setting = chosen(results, names)
        standing = rows.read(job.path(paths.STANDING, **names))
        twin = _robust(setting, thresholds.twin)
        for defence in setting.defence.unique():
            own = names | {"defence": defence}
            robust = over_seeds(_robust(setting, defence))
            asked = _evidence(setting, defence, thresholds)
            asked |= {
                "classes": setting[setting.quantity == "classes"].value.iloc[0],
                "n": robust["n"],
                "twin_robust_accuracy": twin.value.max(),
                "robust_accuracy": robust["ours"],
                "robust_low": robust["low"],
                "gain_over_twin": _gain(standing, defence, thresholds.twin),
            }
            asked |= information(setting, defence, thresholds.twin, asked["gain_over_twin"])
            verdict, found = judge(asked, thresholds)
            accuracies = {
                "clean_accuracy": over_seeds(_clean(setting, defence))["ours"],
                "robust_accuracy": robust["ours"],
            }
            verdicts.append(
                own
                | {"verdict": verdict, **accuracies, "low": robust["low"], "high": robust["high"]}
                | {"n": robust["n"], "seeds": setting.seed.nunique()}
                | _strongest(setting, defence, attacks)
                | {"asked": sum(c.failed is not None and c.name in DECIDING for c in found)}
            )
            checks += [own | check._asdict() for check in found]
            metrics.setdefault("/".join(names.values()), {})[defence] = accuracies
    rows.write_table(job.path(paths.VERDICT), pd.DataFrame(verdicts, columns=COLUMNS))
    columns = [*COLUMNS[:3], *Check._fields]
    rows.write_table(job.path(paths.CHECKS), pd.DataFrame(checks, columns=columns))
    with whole(job.path(paths.METRICS)) as partial:
        partial.write_text(json.dumps(metrics, indent=2) + "\n")
    for line in verdicts:
        print("{dataset} {model} {defence}: {verdict}".format(**line))


def _threatened(job: Job) -> Iterator[tuple[dict[str, str], list[str]]]:
    """Every setting with a threat model, and its attacks that count."""
    for names in job.params["settings"]:
        within = counting(job.params, names)
        if within:
            yield names, [*within]


def _robust(setting: pd.DataFrame, defence: str) -> pd.DataFrame:
    return chosen(over_all(setting), {"defence": defence, "quantity": "robust_accuracy"})


def _clean(setting: pd.DataFrame, defence: str) -> pd.DataFrame:
    where = {"defence": defence, "stage": "diagnose", "entry": "clean", "quantity": "accuracy"}
    return chosen(setting, where)


def _strongest(setting: pd.DataFrame, defence: str, attacks: list[str]) -> dict:
    """The attack that by itself leaves the least accuracy, and what it leaves."""
    where = {"defence": defence, "stage": "attack", "quantity": "accuracy", "entry": attacks}
    left = chosen(setting, where).groupby("entry", sort=False).value.mean()
    return {"strongest": left.idxmin(), "strongest_leaves": left.min()}


def _evidence(setting: pd.DataFrame, defence: str, thresholds: Thresholds) -> dict[str, float]:
    """What the runs of one defence say by themselves, in the worst seed that was asked."""
    found = []
    for _, own in chosen(setting, {"defence": defence}).groupby("seed"):
        alone = own[own.stage.isin(["attack", "diagnose"]) & (own.entry != "attacks")]
        said = pd.concat([alone, over_all(own)])[list(Said._fields)]
        found.append(evidence(map(Said._make, said.itertuples(index=False)), thresholds))
    return {
        name: (max if RULES[name][0] in ("at most", "below") else min)(
            one[name] for one in found if name in one
        )
        for name in RULES
        if any(name in one for one in found)
    }


def _gain(standing: pd.DataFrame, defence: str, twin: str) -> float | None:
    """How many more images than its twin the defence surely leaves, in the worst seed."""
    if defence == twin:
        return None
    wide = standing.pivot(index=["seed", "index"], columns="defence", values="stands")
    lows = []
    for _, pairs in wide.groupby("seed"):
        won = int((pairs[defence] > pairs[twin]).sum())
        lost = int((pairs[defence] < pairs[twin]).sum())
        lows.append(gain(won, lost, len(pairs))[0])
    return min(lows)


if __name__ == "__main__":
    main(run, "verdict")
