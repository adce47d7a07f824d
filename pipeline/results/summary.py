"""The end of a run in a few lines: the leaderboard, and where to look."""

import json
from pathlib import Path
from typing import Any


def summary(folder: Path) -> str:
    """The lines. folder: results/NAME; without a leaderboard, empty."""
    file = folder / "leaderboard.json"
    if not file.exists():
        return ""
    rows = json.loads(file.read_text(encoding="utf-8"))
    width = max((len(one["defence"]) for one in rows), default=0)
    lines, setting = [], ""
    for one in rows:
        this = f"{one['dataset']}, {one['model']}, {one['norm']} {one['epsilon']:g}"
        if this != setting:
            lines += ["", f"{this}: robust accuracy (95 %), clean accuracy, verdict"]
            setting = this
        lines.append(f"  {one['defence']:{width}} {_accuracies(one)}  {one['verdict']}")
    return "\n".join([*lines, "", f"report: {folder / 'report.html'}"])


def _accuracies(one: dict[str, Any]) -> str:
    """Robust, with its interval, and clean; hyphens of what was not trained."""
    if one["robust_accuracy"] is None:
        return f"{'-':>6} {'':17} {'-':>6}"
    interval = f"({100 * one['low']:.1f} to {100 * one['high']:.1f})"
    return f"{one['robust_accuracy']:6.1%} {interval:17} {one['clean_accuracy']:6.1%}"
