"""An evaluation as plain data, as ``evaluation.json`` holds it: results, and what repeats them."""

import math
import platform
from collections.abc import Mapping
from typing import Any

import torch

from robustinfo.evaluation import distances
from robustinfo.evaluation.accuracy import Accuracy
from robustinfo.evaluation.beside import calibration_as_data
from robustinfo.evaluation.remedies._after import AfterRemedies
from robustinfo.evaluation.result import Result
from robustinfo.evaluation.verdict import Answer
from robustinfo.maths.statistics import fraction_interval


def document(evaluation: Result, about: Mapping[str, Any]) -> dict[str, Any]:
    """The evaluation as JSON has it; numbers that JSON has not, infinite ones, are null.

    about: what repeats it (questions.py).
    """
    clean, robust = evaluation.clean_accuracy, evaluation.robust_accuracy
    corruptions = evaluation.corruptions
    return {
        **about,
        "verdict": evaluation.verdict,
        "failed_classes": evaluation.conclusion.failed_classes(),
        "counts": evaluation.conclusion.counts(),
        "threat": evaluation.threat.model_dump(),
        "black_box": evaluation.black_box,
        "n": evaluation.n,
        "clean_accuracy": float(clean),
        "clean_interval": [clean.low, clean.high],
        "robust_accuracy": float(robust),
        "interval": [robust.low, robust.high],
        "after_remedies": _after(evaluation.after_remedies),
        "certified": evaluation.certified and evaluation.certified.as_data(),
        "by_class": _by_class(evaluation, [*about["data"]["classes"]]),
        "attacks": _attacks(evaluation),
        "follow_up": {"broken": _indices(evaluation.broken_by_follow_up)},
        "attacks_not_made": evaluation.not_made,
        "checks": [_check(one) for one in evaluation.checks],
        "curve": _curve(evaluation),
        "distances": distances.as_data(evaluation.distances, evaluation.measurements),
        "calibration": calibration_as_data(evaluation.measurements),
        "corruptions": None if corruptions is None else corruptions.as_data(),
        "images": {
            "label": evaluation.labels.tolist(),
            "clean_correct": evaluation.clean_correct.tolist(),
            "robust": evaluation.robust.tolist(),
        },
    }


def device_name(device: torch.device) -> str:
    """The device in words: ``cpu (x86_64, 1 thread)`` or ``cuda:0 (NVIDIA H200)``."""
    if device.type == "cuda":
        return f"{device} ({torch.cuda.get_device_name(device)})"
    threads = torch.get_num_threads()
    return f"{device} ({platform.machine()}, {threads} thread{'s' * (threads != 1)})"


def _after(after: AfterRemedies | None) -> dict[str, Any] | None:
    if after is None:
        return None
    return {
        "accuracy": float(after.accuracy),
        "interval": [after.accuracy.low, after.accuracy.high],
        "votes": after.votes,
        "vote_error": after.vote_error,
        "seconds": after.seconds,
        "remedies": {
            name: {
                "called_by": [*one.called_by],
                "broken": _indices(one.broken),
                "seconds": one.seconds,
                "not_made": one.not_made,
            }
            for name, one in after.remedies.items()
        },
    }


def _by_class(evaluation: Result, names: list[str]) -> list[dict[str, Any]]:
    return [
        {
            "class": names[label],
            "n": one.robust.n,
            "clean_accuracy": float(one.clean),
            "robust_accuracy": float(one.robust),
            "interval": [one.robust.low, one.robust.high],
        }
        for label, one in evaluation.by_class.items()
    ]


def _attacks(evaluation: Result) -> dict[str, Any]:
    rows = {}
    for name, one in evaluation.attacks.items():
        leaves: Accuracy = one.leaves
        settings = {key: value for key, value in one.entry.items() if key != "method"}
        rows[name] = {
            "method": one.entry.get("method", "transfer"),
            "role": one.role,
            "settings": settings,
            "leaves": float(leaves),
            "interval": [leaves.low, leaves.high],
            "broken": _indices(one.broken),
            "outside": int(one.outside.sum()),
            "seconds": one.seconds,
        }
    return rows


def _indices(mask: torch.Tensor) -> list[int]:
    return mask.nonzero().flatten().tolist()


def _check(one: Answer) -> dict[str, Any]:
    numbers = {name: getattr(one, name) for name in ("value", "low", "high", "threshold")}
    return {
        "check": one.check.name,
        **{name: None if _is_infinite(value) else value for name, value in numbers.items()},
        "n": one.n,
        "rule": one.check.rule,
        "class": one.check.verdict,
        "result": one.result,
        "said_by": one.entry,
        "images_needed": one.images,
        "meaning": one.check.meaning,
        "required": one.check.required,
    }


def _is_infinite(value: float | None) -> bool:
    return value is not None and math.isinf(value)


def _curve(evaluation: Result) -> list[dict[str, Any]]:
    """Accuracy by epsilon under PGD on the margin, but for the epsilon that reaches any image."""
    levels = {
        one.level: one
        for one in evaluation.measurements
        if one.quantity == "attack_accuracy" and one.level is not None
    }
    rows = []
    for epsilon in sorted(levels)[:-1]:
        one = levels[epsilon]
        n = one.n or 0
        interval = list(fraction_interval(round(one.value * n), n))
        rows.append({"epsilon": epsilon, "accuracy": one.value, "interval": interval, "n": n})
    return rows
