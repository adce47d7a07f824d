"""The accuracies behind the leaderboard: under each attack, over all of a norm, and by epsilon."""

from collections.abc import Iterator
from typing import Any

import pandas as pd

from pipeline.results.information_vs_robustness import robust_rows
from pipeline.results.statistics import over_seeds, select_rows
from pipeline.stages._ranking import CLEAN, IN_ALL, RUN, VALUES
from pipeline.study.quantities import UNION
from robustinfo.core.settings import Entry
from robustinfo.evaluation.evidence import is_curve, norm_of
from robustinfo.evaluation.threats import Threat, threat, threat_models

WORST_CASE = "all in {norm}"
ATTACKED = [*RUN, "attack", "norm", "epsilon", "counts", *VALUES]
SWEPT = [*RUN, "curve", "norm", "epsilon", *VALUES, "seeds", "by_seed"]


def accuracy_by_attack(
    results: pd.DataFrame, attacks: dict[str, Entry], in_scope: dict[str, Threat]
) -> Iterator[dict]:
    """Rows per defence of a setting: accuracy clean, by attack, in each norm, and in all norms."""
    clean = {"stage": "diagnose", "entry": "clean", "quantity": "accuracy"}
    selections: list[tuple] = [(CLEAN, "", None, True, select_rows(results, clean))]
    for name, entry in attacks.items():
        where = {"stage": "attack", "entry": name, "quantity": "accuracy"}
        own = threat(entry)
        selected = select_rows(results, where)
        selections.append((name, own.norm, own.epsilon, name in in_scope, selected))
    norms = threat_models(in_scope)
    for norm, epsilon in norms.items():
        over = WORST_CASE.format(norm=norm)
        selections.append((over, norm, epsilon, True, robust_rows(results, norm)))
    if len(norms) > 1:
        selections.append((IN_ALL, UNION, None, True, robust_rows(results)))
    for *names, selected in selections:
        about = dict(zip(("attack", "norm", "epsilon", "counts"), names, strict=True))
        for key, seeds in selected.groupby(RUN, sort=False):
            yield dict(zip(RUN, key, strict=True)) | about | _mean_over_seeds(seeds)


def accuracy_by_epsilon(diagnostics: dict[str, Entry], results: pd.DataFrame) -> Iterator[dict]:
    """Rows of accuracy by epsilon, of every diagnostic that the verdict reads."""
    for curve, entry in diagnostics.items():
        if not is_curve(entry):
            continue
        norm = norm_of("diagnostics", entry)
        where = {"stage": "diagnose", "entry": curve, "quantity": "attack_accuracy"}
        curves = select_rows(results, where).groupby([*RUN, "level"], sort=False)
        for (*key, level), seeds in curves:
            columns = {"curve": curve, "norm": norm, "epsilon": level}
            yield dict(zip(RUN, key, strict=True)) | columns | _mean_over_seeds(seeds)


def _mean_over_seeds(seeds: pd.DataFrame) -> dict[str, Any]:
    mean = over_seeds(seeds)
    return mean | {"value": mean["ours"]}
