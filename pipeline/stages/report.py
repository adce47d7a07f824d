"""Stage report: results of the study as one self-contained page.

writes  results/{study}/report.html  its last section says when and where it was made, so that two
                                     pages of the same results differ there
"""

from pathlib import Path

import pandas as pd

from pipeline.report import claims, defences, judged
from pipeline.report.provenance import provenance
from pipeline.report.values import interval, number, percent, signed, signed_interval
from pipeline.results import rows
from pipeline.results.tables import SEPARATOR
from pipeline.results.untrained import UNTRAINED
from pipeline.run.job import Job
from pipeline.stages._overview import ATTACKS, INFORMATION, SETTINGS
from robustinfo.core.files import atomic_write
from robustinfo.evaluation.checks import UNTRUSTED
from robustinfo.evaluation.display.assets import data_uri, svg
from robustinfo.evaluation.display.badges import BADGES as OF_CLASSES
from robustinfo.evaluation.report.page import environment
from robustinfo.evaluation.report.quantities import MEASURED
from robustinfo.evaluation.report.verdicts import WORDS

READS = [
    "checks",
    "leaderboard",
    "leaderboard_json",
    "leaderboard_tex",
    "correlations",
    "overview",
    "gallery",
    "gallery_picture",
    "claims",
    "table",
    "figure",
]
WRITES = {"report": "report.html"}
PARAMS = {
    "settings": "settings",
    "tables": "tables",
    "figures": "figures",
    "claims": "claims",
    "defences": "defences",
    "pretrain": "pretrain",
    "retrain": "retrain",
    "retrain_from": "retrain_from",
    "stop_early": "stop_early",
    "train_selected": "train_selected",
    "verdict": "verdict",
}
FILES = [
    "pipeline/report/*.html",
    "pipeline/report/*.css",
    "pipeline/report/*.js",
    "src/robustinfo/evaluation/display/macros.html",
    "src/robustinfo/evaluation/display/page.css",
    "src/robustinfo/evaluation/report/_head.html",
    "src/robustinfo/evaluation/report/evaluation.css",
    "studies/references/*.yaml",
]

BADGES = OF_CLASSES | {UNTRAINED: ("#ffffff", "#3d3d3d")}  # {class: (ground, ink)}
FILTERS = {
    "number": number,
    "signed": signed,
    "percent": percent,
    "range": interval,
    "signed_range": signed_interval,
}


def run(job: Job) -> None:
    """Fill the page's template with the study's files."""
    filled = environment(Path(__file__).parents[1] / "report")
    filled.filters |= FILTERS
    forms = job.file("leaderboard"), job.file("leaderboard_json"), job.file("leaderboard_tex")
    targets = job.params["tables"] | job.params["figures"]
    checks = rows.read(job.file("checks"))
    page = filled.get_template("report.html").render(
        study=job.study,
        made=provenance(job.study),
        untrained=UNTRAINED,
        untrusted=UNTRUSTED,
        badges=BADGES,
        words=WORDS,
        measured=MEASURED,
        board=_board(job, checks),
        threats=judged.threats(rows.read(job.file("leaderboard")), checks),
        twin=job.params["verdict"]["twin"],
        defences=defences.described(job.params),
        exports={path.name: data_uri(path) for path in forms},
        checks=judged.judged(checks),
        overview=_overview(job),
        galleries=_galleries(job),
        correlations=_correlations(job),
        claims=claims.in_words(_records(job.file("claims")), job.params["claims"]),
        titles={name: target["title"] for name, target in targets.items()},
        notes={name: target.get("note", "") for name, target in targets.items()},
        tables={name: _wide(job, name) for name in job.params["tables"]},
        figures={name: svg(job.file("figure", target=name)) for name in job.params["figures"]},
    )
    with atomic_write(job.writes["report"]) as partial:
        partial.write_text(page, encoding="utf-8")


def _records(file: Path) -> list[dict]:
    """Lines of a table; a toy, which has no setting, has empty names.

    ``saturated``, if there, is a fraction.
    """
    return rows.read(file, numbers=["saturated"]).to_dict("records")


def _overview(job: Job) -> dict[str, list[str]]:
    """{setting: its figures as svg}, without settings that have none."""
    figures = {}
    for setting in job.params["settings"]:
        folder = job.file("overview") / SETTINGS / setting["dataset"] / setting["model"]
        if files := sorted(folder.glob("*.svg"), key=lambda svg: (svg.stem != ATTACKS, svg.name)):
            figures["{dataset}, {model}".format(**setting)] = [svg(file) for file in files]
    return figures


def _galleries(job: Job) -> dict[str, dict]:
    """{setting: its picture and the lines that describe it}, without settings that have none."""
    galleries = {}
    for setting in job.params["settings"]:
        lines = rows.read(job.file("gallery", **setting))
        if len(lines):
            galleries["{dataset}, {model}".format(**setting)] = {
                "picture": data_uri(job.file("gallery_picture", **setting)),
                "attack": lines.attack.iloc[0],
                "lines": lines.to_dict("records"),
            }
    return galleries


def _correlations(job: Job) -> list[dict]:
    """Per measure: its figure, if an estimate may be believed, and a line per group of runs."""
    table = _records(job.file("correlations"))
    by_measure: dict[tuple, dict] = {}
    for line in table:
        measured = (line["measure"], line["quantity"])
        file = job.file("overview").joinpath(INFORMATION, *measured).with_suffix(".svg")
        drawn = svg(file) if file.is_file() else ""
        group = by_measure.setdefault(measured, {"svg": drawn, "lines": []})
        group["lines"].append(line)
    return [*by_measure.values()]


def _board(job: Job, checks: pd.DataFrame) -> list[dict]:
    """The lines of the leaderboard, each with the reasons of its verdict."""
    of = ["dataset", "model", "norm", "defence"]
    behind = {key: lines for key, lines in checks.groupby(of)}
    board = _records(job.file("leaderboard"))
    for line in board:
        key = tuple(line[name] for name in of)
        line["why"] = judged.reasons(behind[key], line["verdict"]) if key in behind else ""
    return board


def _wide(job: Job, target: str) -> dict:
    """{heading, columns, rows: {row: {column: cell}}} of a target's long table, in its order."""
    table = rows.read(job.file("table", target=target))
    table["saturated"] = table.saturated.eq("True")
    cells = {
        row: row_cells.set_index("column").to_dict("index")
        for row, row_cells in table.groupby("row", sort=False)
    }
    about = job.params["tables"][target]
    return {
        "heading": f"{SEPARATOR.join(about['rows'])} by {SEPARATOR.join(about['columns'])}",
        "columns": list(table.column.unique()),
        "rows": cells,
        "smaller_than_paper": [text for text in table.smaller_than_paper.unique() if text],
    }
