"""A union as plain data, as ``union.json`` holds it."""

from typing import Any

from robustinfo.evaluation.union.result import UnionResult


def document(union: UnionResult) -> dict[str, Any]:
    """The union, and under ``threats`` every evaluation by norm, as its ``evaluation.json``."""
    clean, robust, after = union.clean_accuracy, union.robust_accuracy, union.after_remedies
    left = None if after is None else after.accuracy
    return {
        "verdict": union.verdict,
        "verdict_of": union.verdict_of,
        "n": union.n,
        "black_box": union.black_box,
        "clean_accuracy": float(clean),
        "clean_interval": [clean.low, clean.high],
        "robust_accuracy": float(robust),
        "interval": [robust.low, robust.high],
        "average_accuracy": union.average_accuracy,
        "after_remedies": None
        if left is None
        else {"accuracy": float(left), "interval": [left.low, left.high]},
        "images": {
            "label": union.labels.tolist(),
            "clean_correct": union.clean_correct.tolist(),
            "robust": union.robust.tolist(),
        },
        "threats": {norm: one.to_dict() for norm, one in union.threats.items()},
    }
