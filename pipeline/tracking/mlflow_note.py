"""The words of MLflow's pages: notes in Markdown, and the table's first columns. No mlflow here."""

import json
from pathlib import Path
from typing import Any

from pipeline.run.contract import template
from pipeline.tracking.mlflow_metrics import CLEAN, ROBUST

MOST_LINES = 25  # of the leaderboard: a tag holds 5,000 letters
MOST_SAID = 6  # verdicts of the first line, which is all that a folded note shows
TRAINING = "workflowType=machine_learning"  # without it, MLflow's pages are of prompts and traces
VIEW = "robustness"  # in the address: ?viewStateShareKey=robustness
VIEW_TAG = f"mlflow.sharedViewState.{VIEW}"  # as MLflow's own button `Share` writes it
NETWORKS = "tags.kind = 'network' AND tags.superseded = 'no'"
HEAD = """\
| defence | of | verdict | robust accuracy (95 %) | clean accuracy |
|---|---|---|---|---|
"""


def address(experiment: str) -> str:
    """The experiment's page, within MLflow: its networks, by robust accuracy."""
    return f"#/experiments/{experiment}/runs?{TRAINING}&viewStateShareKey={VIEW}"


def leaderboard(study: str) -> list[dict[str, Any]]:
    """Lines of leaderboard.json; none before it is written."""
    file = Path(template("leaderboard_json").format(study=study))
    return json.loads(file.read_text(encoding="utf-8")) if file.is_file() else []


def of_study(study: str, board: list[dict[str, Any]], experiment: str, run: str) -> str:
    """The leaderboard, and where to look. run: the id of the study's run."""
    lines = [
        f"| {one['defence']} | {one['dataset']}, {one['model']}, {one['norm']} {one['epsilon']:g} "
        f"| **{one['verdict']}** | {_accuracy(one)} | {_percent(one['clean_accuracy'])} |\n"
        for one in board[:MOST_LINES]
    ]
    more = f"\n{len(board) - MOST_LINES} more in leaderboard.csv\n" * (len(board) > MOST_LINES)
    table = HEAD + "".join(lines) + more if board else "No defence has a verdict yet.\n"
    links = [
        f"[{word}]({_artifact(experiment, run, file)})"
        for word, file in (
            ("Report", "report.html"),
            ("Gallery", "gallery"),
            ("Checks", "checks.csv"),
            ("Figures", "figures"),
        )
    ]
    here = f"[Networks by robust accuracy]({address(experiment)})"
    verdicts = dict.fromkeys(f"{one['defence']}: {one['verdict']}" for one in board)
    first = " · ".join([*verdicts][:MOST_SAID]) or f"{study}: no verdict yet"
    return (
        f"### {first}\n\n{table}\n{' · '.join([*links, here])}\n\n"
        "What a verdict means and every check asks: docs/verdict.md."
    )


def of_run(names: dict[str, str], lines: list[dict[str, Any]], experiment: str, run: str) -> str:
    """The verdict on a network's defence, and where to look. run: the id of the study's run."""
    found = [
        f"{line['norm']} {line['epsilon']:g}: **{line['verdict']}**, robust accuracy "
        f"{_accuracy(line)} over all seeds"
        for line in lines
    ]
    says = "\n".join(f"- {one}" for one in found) or "- no verdict yet"
    place = "{defence} on {dataset}, {model}, seed {seed}".format(**names)
    report = f"[The study's report]({_artifact(experiment, run, 'report.html')})"
    return (
        f"{place}\n\n{says}\n\nArtifacts: checks.csv (behind the verdict), measurements.csv (every "
        f"number, also those that are no metric here), figures, parameters, checkpoint. {report}"
    )


def view(board: list[dict[str, Any]]) -> str:
    """State of the table: networks by robust accuracy; verdict and accuracies come first."""
    norms = [*dict.fromkeys(one["norm"] for one in board)]
    robust = [f"metrics.`{ROBUST.format(norm=norm)}`" for norm in norms]
    columns = ["tags.`verdict`", *robust, f"metrics.`{CLEAN}`", "params.`defence`"]
    columns += ["params.`seed`", "tags.`compute_seconds`", "attributes.`Models`"]
    state = {
        "searchFilter": NETWORKS,
        "orderByKey": robust[0] if robust else "attributes.start_time",
        "orderByAsc": False,
        "startTime": "ALL",
        "lifecycleFilter": "Active",
        "datasetsFilter": [],
        "modelVersionFilter": "All Runs",
        "selectedColumns": columns,
        "columnOrder": columns,
        "columnWidths": {columns[0]: 300} | dict.fromkeys([*robust, columns[len(robust) + 1]], 150),
    }
    return json.dumps(state)


def _artifact(experiment: str, run: str, file: str) -> str:
    return f"#/experiments/{experiment}/runs/{run}/artifacts/{file}?{TRAINING}"


def _accuracy(line: dict[str, Any]) -> str:
    low, high = line.get("low"), line.get("high")
    known = low is not None and low == low
    interval = f" ({_percent(low)} to {_percent(high)})" if known else ""
    return _percent(line["robust_accuracy"]) + interval


def _percent(value: float | None) -> str:
    return "-" if value is None or value != value else f"{value:.1%}"
