"""Stage verdict: per defence, robust accuracy with its interval, every check, and the verdict.

reads   results/{study}/collected/*.csv
writes  results/{study}/verdict.csv   one line per data set, model and defence; of settings in which
                                      some attack counts: the others lack a threat model
        results/{study}/checks.csv    every check behind it: value, threshold, failed or not run
        results/{study}/metrics.json  the headline numbers, for ``dvc metrics``
"""

import json
from collections.abc import Iterator

import pandas as pd

from pipeline import paths, rows
from pipeline.collect import results_of
from pipeline.combined import counts, threat
from pipeline.per import resolve
from pipeline.slices import present
from pipeline.stage import Job, main
from pipeline.statistics import chosen, over_seeds
from robustinfo.files import whole
from robustinfo.judging import Check, Thresholds, judge

SHARES = ("infeasible_share", "noise_only_share", "single_step_only_share")
MAY_LACK = ("adaptive_only_share", "black_box_only_share")  # where there is no such attack

COLUMNS = [
    "dataset", "model", "defence", "verdict", "clean_accuracy", "robust_accuracy", "low", "high",
    "n", "seeds", "strongest", "strongest_leaves",
]  # fmt: skip


def run(job: Job) -> None:
    """Judge every defence of every setting."""
    thresholds = Thresholds(**job.params["verdict"])
    results = results_of(job)
    verdicts, checks, metrics = [], [], {}
    for names, attacks in _threatened(job):
        setting = chosen(results, names)
        twin = over_seeds(_robust(setting, thresholds.twin))
        for defence in setting.defence.unique():
            own = names | {"defence": defence}
            robust = over_seeds(_robust(setting, defence))
            evidence = _evidence(setting, defence, thresholds) | {
                "twin_robust_accuracy": twin["ours"],
                "robust_low": robust["low"],
                "gain_over_twin": robust["low"] - twin["high"],
            }
            verdict, found = judge(evidence, thresholds)
            accuracies = {
                "clean_accuracy": evidence["clean_accuracy"],
                "robust_accuracy": robust["ours"],
            }
            verdicts.append(
                own
                | {"verdict": verdict, **accuracies, "low": robust["low"], "high": robust["high"]}
                | {"n": robust["n"], "seeds": setting.seed.nunique()}
                | _strongest(setting, defence, attacks)
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
        attacks = present("attacks", resolve(job.params["attacks"], names))
        limits = resolve(job.params["threat"], names)
        within = [name for name, entry in attacks.items() if counts(threat(entry), limits)]
        if within:
            yield names, within


def _of(setting: pd.DataFrame, defence: str, quantity: str) -> pd.DataFrame:
    return chosen(setting, {"defence": defence, "stage": "diagnose", "quantity": quantity})


def _robust(setting: pd.DataFrame, defence: str, quantity: str = "robust_accuracy") -> pd.DataFrame:
    """What is counted over all attacks: with what was transferred, if anything was."""
    found = chosen(setting, {"defence": defence, "entry": "attacks", "quantity": quantity})
    transferred = found[found.stage == "transfer"]
    return found if transferred.empty else transferred


def _strongest(setting: pd.DataFrame, defence: str, attacks: list[str]) -> dict:
    """The attack that by itself leaves the least accuracy, and what it leaves."""
    where = {"defence": defence, "stage": "attack", "quantity": "accuracy", "entry": attacks}
    left = chosen(setting, where).groupby("entry", sort=False).value.mean()
    return {"strongest": left.idxmin(), "strongest_leaves": left.min()}


def _evidence(setting: pd.DataFrame, defence: str, thresholds: Thresholds) -> dict[str, float]:
    """What the runs of one defence say by themselves, as means over the seeds."""
    curve = _of(setting, defence, "attack_accuracy")
    curve = curve[curve.entry == thresholds.epsilon_curve].groupby("level").value.mean()
    curve = curve.sort_index()
    shares = {name: _robust(setting, defence, name).value for name in (*SHARES, *MAY_LACK)}
    lacking = {name: None for name in MAY_LACK if shares[name].empty}
    return (
        {name: values.mean() for name, values in shares.items()}
        | lacking
        | {
            "zero_gradient_share": _of(setting, defence, "zero_gradient_share").value.mean(),
            "classes": setting[setting.quantity == "classes"].value.iloc[0],
            "clean_accuracy": _of(setting, defence, "accuracy").value.mean(),
            "accuracy_at_huge_epsilon": curve[curve.index >= thresholds.huge_epsilon].max(),
            "rise_with_epsilon": max(curve.diff().max(), 0.0),
        }
    )


if __name__ == "__main__":
    main(run, "verdict")
