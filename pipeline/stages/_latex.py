"""The leaderboard as LaTeX."""

import pandas as pd

PRINTED = {
    "rank": "rank", "dataset": "data", "model": "network", "norm": "norm", "defence": "defence",
    "clean": "clean (%)", "robust": "robust (%)", "after": "after remedies (%)",
    "union": "in all norms (%)",
    "strongest_attack": "strongest attack", "verdict": "verdict", "source": "source",
}  # fmt: skip


def tex(board: pd.DataFrame) -> str:
    """A LaTeX tabular, with accuracies after remedies and sources of what was trained elsewhere, if
    there are any.
    """

    def percent(value: pd.Series, low: pd.Series, high: pd.Series) -> list[str]:
        parts = zip(100 * value, 100 * low, 100 * high, strict=True)
        return ["--" if v != v else f"{v:.1f} ({a:.1f} to {b:.1f})" for v, a, b in parts]

    printed = board.assign(
        rank=board["rank"].astype(object).where(board["rank"].notna(), "--"),
        clean=percent(board.clean_accuracy, board.clean_low, board.clean_high),
        robust=percent(board.robust_accuracy, board.low, board.high),
    )
    if "after_remedies" in board:
        printed["after"] = percent(board.after_remedies, board.after_low, board.after_high)
    if "union_accuracy" in board:
        printed["union"] = percent(board.union_accuracy, board.union_low, board.union_high)
    shown = [name for name in PRINTED if name in printed]
    table = printed[shown].rename(columns=PRINTED).to_latex(index=False, escape=True)
    return "% \\usepackage{booktabs}\n" + table
