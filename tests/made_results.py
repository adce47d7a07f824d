"""Results of two networks whose numbers are given, as the stages would have written them."""

import math

import pandas as pd

from pipeline.results.claim_judgement import judge_claim
from pipeline.results.statistics import with_intervals
from pipeline.stages.claims import correct_multiple_tests
from pipeline.study.claim import Claim

N = 100
RATES = {"attack_success_rate": {"standard": (0.9, 0.94), "entropic": (0.5, 0.58)}}
WHERE = {"stage": "attack", "quantity": "attack_success_rate", "epoch": "last"}
OF_LAYERS = {"of": {"quantity": "bits", "stage": "measure"}, "against": None}


def results(interval="fraction", n=N, clean=0.9, **values):
    """Rows of seeds: {quantity: {defence: a value per seed}}, each of n images, at two epochs."""
    found = [
        {
            "dataset": "mnist", "model": "lenet5", "defence": defence, "seed": seed,
            "stage": "attack", "entry": "fgsm", "input": "", "epoch": epoch, "layer": "",
            "level": math.nan, "quantity": quantity, "value": value, "n": n,
            "ceiling": math.nan, "saturated": "", "low": math.nan, "high": math.nan,
            "interval": interval,
        }
        for quantity, defences in values.items()
        for defence, by_seed in defences.items()
        for seed, value in enumerate(by_seed)
        for epoch in (0, 4)
    ]  # fmt: skip
    of_data = {"stage": "data", "quantity": "classes", "value": 10, "n": math.nan}
    classes = {**found[0], **of_data, "interval": "exact"}
    is_clean = {"stage": "diagnose", "entry": "clean", "quantity": "accuracy", "value": clean}
    cleans = [{**row, **is_clean, "interval": "fraction"} for row in found]
    return with_intervals(pd.DataFrame([classes, *cleans, *found]))


def series(interval="", **values):
    """Rows of the quantity ``bits`` per epoch: {layer: {seed: values}}."""
    base = results(**RATES)
    line = base[base.stage == "attack"].iloc[0].to_dict()
    line |= {"stage": "measure", "low": math.nan, "high": math.nan, "interval": interval}
    found = [
        line | {"layer": layer, "seed": seed, "epoch": epoch, "quantity": "bits", "value": value}
        for layer, seeds in values.items()
        for seed, over_epochs in enumerate(seeds)
        for epoch, value in enumerate(over_epochs)
    ]
    return pd.concat([base, pd.DataFrame(found)], ignore_index=True)


def claim(expect="below", threshold=0.0, **more):
    """That ``entropic`` differs from ``standard``, unless said otherwise."""
    of, against = (WHERE | {"defence": d} for d in ("entropic", "standard"))
    base = {"paper": "entropic-retraining", "claim": "er_resists", "of": of, "against": against}
    return Claim(**base | {"expect": expect, "threshold": threshold} | more)


def alone(table, asked):
    """The claim as the only one of its study."""
    line = judge_claim(table, asked) | {"claim": "c"}
    correct_multiple_tests([line], {"c": asked})
    return line
