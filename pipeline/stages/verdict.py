"""Stage verdict: per defence and norm, robust accuracy with its interval, all checks, the verdict.

writes  results/{study}/verdict.csv   one line per data set, model, defence and norm with a threat
                                      model; numbers of the deciding checks that failed, passed,
                                      cannot say, were not run. A defence that was not trained, as
                                      no layer was selected for it, has that as its verdict
        results/{study}/checks.csv    every check behind it: value, rule, threshold, result
        results/{study}/metrics.json  the headline numbers, for ``dvc metrics``

The worst seed decides: a check fails if it surely fails in one seed, and passes if it surely passes
in all.
"""

import json
from collections.abc import Iterator
from typing import Any

import pandas as pd

from pipeline.results import rows
from pipeline.results.collected import read_results, read_untrained
from pipeline.results.information_checks import information_measurements
from pipeline.results.statistics import over_seeds, select_rows
from pipeline.results.untrained import UNTRAINED
from pipeline.results.worst_case import attacks_in_scope, with_transfers
from pipeline.run.job import Job
from pipeline.study.slices import in_setting
from robustinfo.core.files import atomic_write
from robustinfo.core.measurement import Measurement
from robustinfo.evaluation import threats
from robustinfo.evaluation.evidence import norm_of
from robustinfo.evaluation.verdict import Answer, judge
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
    results, untrained = read_results(collected), read_untrained(collected)
    twin = job.params["verdict"]["twin"]
    verdicts, checks = [], []
    metrics: dict[str, Any] = {}
    for names, study, attacks in _settings_with_threats(job):
        setting = select_rows(results, names)
        per_image = rows.read(job.file("per_image", **names))
        norms = _norm_by_entry(study)
        classes = int(setting[setting.quantity == "classes"].value.iloc[0])
        for norm, epsilon in threats.threat_models(attacks).items():
            outcomes = per_image[per_image.entry == norm]
            for defence in setting.defence.unique():
                columns = names | {"defence": defence, "norm": norm, "epsilon": epsilon}
                measurements = list(_run_measurements(setting, defence, norm, norms))
                measurements += _twin_measurements(setting, outcomes, defence, twin, norm)
                gain = _gain(measurements)
                measurements += information_measurements(setting, defence, twin, gain)
                result = judge(measurements, classes)
                clean = over_seeds(_clean_rows(setting, defence), per_image)["ours"]
                robust = over_seeds(_robust_rows(setting, defence, norm), per_image)
                verdicts.append(
                    columns
                    | {"verdict": result.verdict, "clean_accuracy": clean}
                    | {"robust_accuracy": robust["ours"], "seeds": setting.seed.nunique()}
                    | {name: robust[name] for name in ("low", "high", "scope", "n")}
                    | _strongest_attack(setting, defence, attacks, norm)
                    | {COUNTS[name]: count for name, count in result.counts().items()}
                )
                checks += [columns | _check_columns(answer) for answer in result.answers]
                accuracies = {"clean_accuracy": clean, "robust_accuracy": robust["ours"]}
                metrics.setdefault("/".join([*names.values(), norm]), {})[defence] = accuracies
            for defence in select_rows(untrained, names).defence:
                columns = names | {"defence": defence, "norm": norm, "epsilon": epsilon}
                verdicts.append(columns | {"verdict": UNTRAINED})
    rows.write_table(job.writes["verdict"], pd.DataFrame(verdicts, columns=COLUMNS))
    rows.write_table(job.writes["checks"], pd.DataFrame(checks, columns=CHECKED))
    with atomic_write(job.writes["metrics"]) as partial:
        partial.write_text(json.dumps(metrics, indent=2) + "\n")
    for line in verdicts:
        print("{dataset} {model} {defence}, {norm}: {verdict}".format(**line))


def _settings_with_threats(
    job: Job,
) -> Iterator[tuple[dict[str, str], dict[str, Any], dict[str, threats.Threat]]]:
    """(setting, study in it, threats of its attacks within the threat model), if it has any."""
    for names in job.params["settings"]:
        study = in_setting(job.params, names)
        if in_scope := attacks_in_scope(study["attacks"], study["threat"]):
            yield names, study, in_scope


def _norm_by_entry(study: dict[str, Any]) -> dict[str, str | None]:
    """{name: norm} of every attack and diagnostic of a setting; None: of any norm."""
    return {
        name: norm_of(kind, entry)
        for kind in ("attacks", "diagnostics")
        for name, entry in study[kind].items()
    }


def _robust_rows(setting: pd.DataFrame, defence: str, norm: str) -> pd.DataFrame:
    where = {"defence": defence, "entry": norm, "quantity": "robust_accuracy"}
    return with_transfers(select_rows(setting, where))


def _clean_rows(setting: pd.DataFrame, defence: str) -> pd.DataFrame:
    where = {"defence": defence, "stage": "diagnose", "entry": "clean", "quantity": "accuracy"}
    return select_rows(setting, where)


def _run_measurements(
    setting: pd.DataFrame, defence: str, norm: str, norms: dict[str, str | None]
) -> Iterator[Measurement]:
    """Measurements of the runs of one defence in one norm, seed by seed."""
    run_rows = select_rows(setting, {"defence": defence, "stage": ["attack", "diagnose"]})
    single_attacks = run_rows[run_rows.entry.map(lambda name: norms.get(name, "") in (norm, None))]
    over_attacks = with_transfers(select_rows(setting, {"defence": defence, "entry": norm}))
    yield from rows.to_measurements(pd.concat([single_attacks, over_attacks]))
    for measurement in rows.to_measurements(_clean_rows(setting, defence)):
        yield measurement._replace(quantity="clean_accuracy")


def _twin_measurements(
    setting: pd.DataFrame, per_image: pd.DataFrame, defence: str, twin: str, norm: str
) -> Iterator[Measurement]:
    """Robust accuracy of the twin, and the paired gain over it, image by image, seed by seed."""
    for measurement in rows.to_measurements(_robust_rows(setting, twin, norm)):
        yield measurement._replace(quantity="twin_robust_accuracy")
    if defence == twin:
        return
    by_seed = per_image.pivot(index="index", columns=["defence", "seed"], values="correct")
    of_twin = by_seed[twin]
    for seed, own in by_seed[defence].items():
        other = of_twin[seed if seed in of_twin else of_twin.columns[0]]  # trained elsewhere: one
        won, lost = int((own > other).sum()), int((own < other).sum())
        value, ends = (won - lost) / len(own), paired_difference(won, lost, len(own))
        yield Measurement("gain_over_twin", value, "own", len(own), *ends, entry=twin)


def _gain(measurements: list[Measurement]) -> Measurement | None:
    """The least gain over the twin of any seed; None without one."""
    gains = [one for one in measurements if one.quantity == "gain_over_twin"]
    return min(gains, key=lambda one: one.low or 0.0, default=None)


def _strongest_attack(
    setting: pd.DataFrame, defence: str, attacks: dict[str, threats.Threat], norm: str
) -> dict:
    """The attack in the norm with the least accuracy by itself, and that accuracy."""
    in_norm = [name for name, threat in attacks.items() if threat.norm == norm]
    where = {"defence": defence, "stage": "attack", "quantity": "accuracy", "entry": in_norm}
    accuracy = select_rows(setting, where).groupby("entry", sort=False).value.mean()
    return {"strongest_attack": accuracy.idxmin(), "strongest_attack_accuracy": accuracy.min()}


def _check_columns(answer: Answer) -> dict:
    check = answer.check
    columns = answer._asdict() | {"images_needed": answer.images, "check": check.name}
    fixed = {"rule": check.rule, "class": check.verdict, "meaning": check.meaning}
    return {name: value for name, value in columns.items() if name in CHECKED} | fixed
