"""The lines of the leaderboard: ranks, and what stands beside a verdict.

Ranks are by robust accuracy within a setting and norm; a defence with a verdict of
``checks.UNTRUSTED`` has none, since stronger attacks may lower its accuracy.
"""

import math

import pandas as pd

from robustinfo.evaluation.checks import UNTRUSTED

SETTING = ["dataset", "model"]
RUN = [*SETTING, "defence"]
CLEAN, IN_ALL = "clean", "union of norms"  # in the column ``attack``
VALUES = ["value", "low", "high", "n"]


def rank_defences(verdicts: pd.DataFrame, attacked: list[dict], protocols: dict) -> pd.DataFrame:
    """The verdicts with rank, clean accuracy's interval and protocol; within a setting by rank.

    Those without a rank come last, by robust accuracy too. Equal accuracies share the better rank.
    """
    clean = {tuple(line[c] for c in RUN): line for line in attacked if line["attack"] == CLEAN}
    unknown = {"low": math.nan, "high": math.nan}  # of what was not trained
    lines = [clean.get(key, unknown) for key in verdicts[RUN].itertuples(index=False, name=None)]
    ball = [*SETTING, "norm"]
    board = verdicts.assign(
        clean_low=[line["low"] for line in lines],
        clean_high=[line["high"] for line in lines],
        protocol=[protocols[key] for key in verdicts[ball].itertuples(index=False, name=None)],
        ball=verdicts.groupby(ball, sort=False).ngroup(),
    )
    trusted = board.robust_accuracy.where(~board.verdict.isin(UNTRUSTED))
    ranks = trusted.groupby(board.ball).rank(method="min", ascending=False)
    board.insert(0, "rank", ranks.astype("Int64"))
    order = ["ball", "rank", "robust_accuracy", "clean_accuracy"]
    board = board.sort_values(order, ascending=[True, True, False, False], kind="stable")
    return board.drop(columns="ball")


def with_unions(board: pd.DataFrame, attacked: list[dict]) -> pd.DataFrame:
    """The lines with what is robust in every norm; as they are where no setting has several."""
    of_run = {tuple(line[c] for c in RUN): line for line in attacked if line["attack"] == IN_ALL}
    if not of_run:
        return board
    unknown = dict.fromkeys(VALUES, math.nan)
    lines = [of_run.get(key, unknown) for key in board[RUN].itertuples(index=False, name=None)]
    names = {"value": "union_accuracy", "low": "union_low", "high": "union_high"}
    return board.assign(**{name: [line[of] for line in lines] for of, name in names.items()})


def with_sources(board: pd.DataFrame, sources: dict[tuple[str, ...], str]) -> pd.DataFrame:
    """The lines with the ``source`` of what was trained elsewhere; as they are without any.

    sources: by dataset, model and defence; empty of what the study trained.
    """
    if not any(sources.values()):
        return board
    found = [sources[line] for line in board[RUN].itertuples(index=False, name=None)]
    return board.assign(source=found)
