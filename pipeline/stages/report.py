"""Stage report: results of the study as one self-contained page.

writes  results/{study}/report.html
"""

from pathlib import Path

import jinja2
import pandas as pd

from pipeline.results import rows
from pipeline.results.untrained import UNTRAINED
from pipeline.run.job import Job
from pipeline.stages._overview import ATTACKS, INFORMATION, SETTINGS
from robustinfo.core.files import atomic_write
from robustinfo.evaluation.checks import SIGNS
from robustinfo.evaluation.display.assets import TEMPLATES, data_uri, svg
from robustinfo.evaluation.display.badges import BADGES as OF_CLASSES
from robustinfo.evaluation.display.numbers import percent as percent_text

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
PARAMS = {"settings": "settings", "tables": "tables", "figures": "figures"}
FILES = [
    "pipeline/report/*.html",
    "src/robustinfo/evaluation/display/macros.html",
    "src/robustinfo/evaluation/display/page.css",
]

BADGES = OF_CLASSES | {UNTRAINED: ("#ffffff", "#3d3d3d")}  # {class: (ground, ink)}


def run(job: Job) -> None:
    """Fill the page's template with the study's files."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader([Path(__file__).parents[1] / "report", TEMPLATES]),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"number": number, "signed": signed, "percent": percent}
    environment.filters["range"] = interval
    forms = job.file("leaderboard"), job.file("leaderboard_json"), job.file("leaderboard_tex")
    titles = job.params["tables"] | job.params["figures"]
    page = environment.get_template("report.html").render(
        study=job.study,
        untrained=UNTRAINED,
        badges=BADGES,
        board=_records(job.file("leaderboard")),
        exports={path.name: data_uri(path) for path in forms},
        checks=_checks(job.file("checks")),
        overview=_overview(job),
        galleries=_galleries(job),
        correlations=_correlations(job),
        claims=_records(job.file("claims")),
        titles={name: target["title"] for name, target in titles.items()},
        notes={name: target.get("note", "") for name, target in titles.items()},
        tables={name: _wide(job.file("table", target=name)) for name in job.params["tables"]},
        figures={name: svg(job.file("figure", target=name)) for name in job.params["figures"]},
    )
    with atomic_write(job.writes["report"]) as partial:
        partial.write_text(page)


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
    """Per measure: its figure, and a line per group of runs."""
    table = _records(job.file("correlations"))
    by_measure: dict[tuple, dict] = {}
    for line in table:
        measured = (line["measure"], line["quantity"])
        file = job.file("overview").joinpath(INFORMATION, *measured).with_suffix(".svg")
        group = by_measure.setdefault(measured, {"svg": svg(file), "lines": []})
        group["lines"].append(line)
    return [*by_measure.values()]


def _checks(file: Path) -> list[dict]:
    """Each check with its setting, its place in the order of checks, and its rule in words."""
    checks = rows.read(file)
    checks["setting"] = checks.dataset + ", " + checks.model + ", " + checks.norm
    checks["order"] = checks.groupby(["setting", "defence"]).cumcount()
    checks["asked"] = [
        "" if pd.isna(limit) else f"{SIGNS[rule]} {number(limit)}"
        for rule, limit in zip(checks.rule, checks.threshold, strict=True)
    ]
    return checks.to_dict("records")


def _wide(file: Path) -> dict:
    """{columns, rows: {row: {column: cell}}} of a long table, in its order."""
    table = rows.read(file)
    table["saturated"] = table.saturated.eq("True")
    cells = {
        row: row_cells.set_index("column").to_dict("index")
        for row, row_cells in table.groupby("row", sort=False)
    }
    reductions = [text for text in table.smaller_than_paper.unique() if text]
    return {"columns": list(table.column.unique()), "rows": cells, "smaller_than_paper": reductions}


def number(value: float) -> str:
    """Four significant digits; nothing for a missing value."""
    return "" if pd.isna(value) else f"{value:.4g}"


def signed(value: float) -> str:
    """Like ``number``, with its sign."""
    return "" if pd.isna(value) else f"{value:+.4g}"


def percent(value: float) -> str:
    """A fraction in percent with one decimal; nothing for a missing value."""
    return "" if pd.isna(value) else percent_text(value)


def interval(low: float, high: float) -> str:
    """An interval in brackets; nothing where there is none."""
    return "" if pd.isna(low) else f"[{low:.3g}, {high:.3g}]"
