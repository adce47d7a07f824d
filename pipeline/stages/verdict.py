"""Stage verdict: per defence and norm, robust accuracy with its interval, every check, the verdict.

writes  results/{study}/verdict.csv   one line per data set, model, defence and norm in which some
                                      attack counts; how many of the deciding checks failed, passed,
                                      cannot say, were not run. That a defence was not trained,
                                      as no layer was selected for it, is a verdict
        results/{study}/checks.csv    every check behind it: what it read, asked, answered
        results/{study}/metrics.json  the headline numbers, for ``dvc metrics``

The worst seed decides: a check fails where it surely does in one of them, and passes where it does
in all.
"""

import json
from collections.abc import Iterator
from typing import Any

import pandas as pd

from pipeline.results import rows
from pipeline.results.collected import results_of, untrained_of
from pipeline.results.information_checks import information
from pipeline.results.statistics import chosen, over_seeds
from pipeline.results.untrained import UNTRAINED
from pipeline.results.worst_case import with_transfers, within
from pipeline.run.job import Job
from pipeline.study.slices import in_setting
from robustinfo.core.files import atomic_write
from robustinfo.core.measurement import Measurement
from robustinfo.judge import threats
from robustinfo.judge.evidence import norm_of
from robustinfo.judge.verdict import Answer, judge
from robustinfo.maths.statistics import paired_difference

READS = ["results", "per_image"]
WRITES = {"verdict": "verdict.csv", "checks": "checks.csv", "metrics": "metrics.json"}
PARAMS = {
    "settings": "settings",
    "attacks": "attacks",
    "threat": "threat",
    "diagnostics": "diagnostics",
    "verdict": "verdict",
}

OF = ["dataset", "model", "defence", "norm", "epsilon"]
COUNTS = {"failed": "failed", "passed": "passed", "cannot say": "cannot_say", "not run": "not_run"}
COLUMNS = [
    *OF, "verdict", "clean_accuracy", "robust_accuracy", "low", "high", "scope", "n", "seeds",
    "strongest_attack", "strongest_attack_accuracy", *COUNTS.values(),
]  # fmt: skip
CHECKED = [
    *OF, "check", "result", "value", "low", "high", "n", "rule", "threshold", "class", "entry",
    "images_needed", "meaning",
]  # fmt: skip


def run(job: Job) -> None:
    """Judge every defence of every setting in every norm."""
    collected = job.paths("results")
    results, untrained = results_of(collected), untrained_of(collected)
    twin = job.params["verdict"]["twin"]
    verdicts, checks = [], []
    metrics: dict[str, Any] = {}
    for names, study, attacks in _threatened(job):
        setting = chosen(results, names)
        per_image = rows.read(job.file("per_image", **names))
        spoken = _norms(study)
        classes = int(setting[setting.quantity == "classes"].value.iloc[0])
        for norm, epsilon in threats.threat_models(attacks).items():
            own = per_image[per_image.entry == norm]
            for defence in setting.defence.unique():
                about = names | {"defence": defence, "norm": norm, "epsilon": epsilon}
                told = list(_told(setting, defence, norm, spoken))
                told += _beside(setting, own, defence, twin, norm)
                told += information(setting, defence, twin, _gain(told))
                found = judge(told, classes)
                clean = over_seeds(_clean(setting, defence), per_image)["ours"]
                robust = over_seeds(_robust(setting, defence, norm), per_image)
                counts = {COUNTS[name]: many for name, many in found.counts().items()}
                verdicts.append(
                    about
                    | {"verdict": found.verdict, "clean_accuracy": clean}
                    | {"robust_accuracy": robust["ours"], "seeds": setting.seed.nunique()}
                    | {name: robust[name] for name in ("low", "high", "scope", "n")}
                    | _strongest(setting, defence, attacks, norm)
                    | counts
                )
                checks += [about | _line(one) for one in found.answers]
                accuracies = {"clean_accuracy": clean, "robust_accuracy": robust["ours"]}
                metrics.setdefault("/".join([*names.values(), norm]), {})[defence] = accuracies
            for defence in chosen(untrained, names).defence:
                about = names | {"defence": defence, "norm": norm, "epsilon": epsilon}
                verdicts.append(about | {"verdict": UNTRAINED})
    rows.write_table(job.writes["verdict"], pd.DataFrame(verdicts, columns=COLUMNS))
    rows.write_table(job.writes["checks"], pd.DataFrame(checks, columns=CHECKED))
    with atomic_write(job.writes["metrics"]) as partial:
        partial.write_text(json.dumps(metrics, indent=2) + "\n")
    for line in verdicts:
        print("{dataset} {model} {defence}, {norm}: {verdict}".format(**line))


def _threatened(
    job: Job,
) -> Iterator[tuple[dict[str, str], dict[str, Any], dict[str, threats.Threat]]]:
    """Every setting with a threat model, the study as it sees it, and its attacks that count."""
    for names in job.params["settings"]:
        study = in_setting(job.params, names)
        if counting := within(study["attacks"], study["threat"]):
            yield names, study, counting


def _norms(study: dict[str, Any]) -> dict[str, str | None]:
    """The norm that every attack and diagnostic of a setting speaks of."""
    return {
        name: norm_of(kind, entry)
        for kind in ("attacks", "diagnostics")
        for name, entry in study[kind].items()
    }


def _robust(setting: pd.DataFrame, defence: str, norm: str) -> pd.DataFrame:
    where = {"defence": defence, "entry": norm, "quantity": "robust_accuracy"}
    return with_transfers(chosen(setting, where))


def _clean(setting: pd.DataFrame, defence: str) -> pd.DataFrame:
    where = {"defence": defence, "stage": "diagnose", "entry": "clean", "quantity": "accuracy"}
    return chosen(setting, where)


def _told(
    setting: pd.DataFrame, defence: str, norm: str, spoken: dict[str, str | None]
) -> Iterator[Measurement]:
    """What the runs of one defence say by themselves in one norm, seed by seed."""
    own = chosen(setting, {"defence": defence, "stage": ["attack", "diagnose"]})
    alone = own[own.entry.map(lambda name: spoken.get(name, "") in (norm, None))]
    together = with_transfers(chosen(setting, {"defence": defence, "entry": norm}))
    yield from rows.measurements(pd.concat([alone, together]))
    for one in rows.measurements(_clean(setting, defence)):
        yield one._replace(quantity="clean_accuracy")


def _beside(
    setting: pd.DataFrame, per_image: pd.DataFrame, defence: str, twin: str, norm: str
) -> Iterator[Measurement]:
    """What the attacks leave of the twin, and beside it, image by image, seed by seed."""
    for one in rows.measurements(_robust(setting, twin, norm)):
        yield one._replace(quantity="twin_robust_accuracy")
    if defence == twin:
        return
    wide = per_image.pivot(index=["seed", "index"], columns="defence", values="correct")
    for _, pairs in wide.groupby("seed"):
        won = int((pairs[defence] > pairs[twin]).sum())
        lost = int((pairs[defence] < pairs[twin]).sum())
        low, high = paired_difference(won, lost, len(pairs))
        value = (won - lost) / len(pairs)
        yield Measurement("gain_over_twin", value, "own", len(pairs), low, high, entry=twin)


def _gain(told: list[Measurement]) -> Measurement | None:
    """The least gain of any seed."""
    gains = [one for one in told if one.quantity == "gain_over_twin"]
    return min(gains, key=lambda one: one.low or 0.0, default=None)


def _strongest(
    setting: pd.DataFrame, defence: str, attacks: dict[str, threats.Threat], norm: str
) -> dict:
    """The attack in the norm that by itself leaves the least accuracy, and what it leaves."""
    own = [name for name, one in attacks.items() if one.norm == norm]
    where = {"defence": defence, "stage": "attack", "quantity": "accuracy", "entry": own}
    left = chosen(setting, where).groupby("entry", sort=False).value.mean()
    return {"strongest_attack": left.idxmin(), "strongest_attack_accuracy": left.min()}


def _line(one: Answer) -> dict:
    numbers = one._asdict() | {"images_needed": one.images, "check": one.check.name}
    about = {"rule": one.check.rule, "class": one.check.verdict, "meaning": one.check.meaning}
    return {name: value for name, value in numbers.items() if name in CHECKED} | about
