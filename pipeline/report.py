"""Stage report: what the study says, as one self-contained page.

reads   verdict.csv, checks.csv, claims.csv, tables/*.csv, figures/*.svg of results/{study}
writes  results/{study}/report.html
"""

import re
from pathlib import Path

import jinja2
import pandas as pd

from pipeline import paths
from pipeline.stage import Job, main
from robustinfo.files import whole


def run(job: Job) -> None:
    """Fill the page's template with the study's files."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"number": number, "signed": signed, "percent": percent}
    environment.filters["range"] = interval
    titles = job.params["tables"] | job.params["figures"]
    page = environment.get_template("report.html").render(
        study=job.study,
        verdicts=_records(job.path(paths.VERDICT)),
        checks=_checks(job.path(paths.CHECKS)),
        claims=_records(job.path(paths.CLAIMS)),
        titles={name: target["title"] for name, target in titles.items()},
        notes={name: target.get("note", "") for name, target in titles.items()},
        tables={name: _wide(job.path(paths.TABLE, target=name)) for name in job.params["tables"]},
        figures={
            name: _inline(job.path(paths.FIGURE, target=name)) for name in job.params["figures"]
        },
    )
    with whole(job.path(paths.REPORT)) as partial:
        partial.write_text(page)


def _records(file: Path) -> list[dict]:
    table = pd.read_csv(file)
    return table.fillna({"dataset": "", "model": "", "sentence": ""}).to_dict(
        "records"
    )  # a toy has neither


def _checks(file: Path) -> list[dict]:
    """Each check with its setting, its place in the order of checks, and its rule in words."""
    checks = pd.read_csv(file, dtype={"failed": str})
    checks["setting"] = checks.dataset + ", " + checks.model
    checks["order"] = checks.groupby(["setting", "defence"]).cumcount()
    signs = {"at most": "≤", "at least": "≥", "above": ">"}
    checks["rule"] = checks.passes.map(signs) + " " + checks.threshold.map(number)
    return checks.fillna({"rule": ""}).to_dict("records")


def _inline(file: Path) -> str:
    """The svg element of a figure's file. Its ids are made unique: the page holds many figures."""
    svg = "<svg" + file.read_text().partition("<svg")[2]
    ids = set(re.findall(r'id="([^"]+)"', svg))
    return re.sub(
        r'(id="|url\(#|href="#)([^")]+)',
        lambda m: m[1] + (f"{file.stem}-{m[2]}" if m[2] in ids else m[2]),
        svg,
    )


def _wide(file: Path) -> dict:
    """{columns, rows: {row: {column: cell}}} of a long table, in its order."""
    table = pd.read_csv(file).fillna({"smaller": ""})
    rows = {
        row: part.set_index("column").to_dict("index")
        for row, part in table.groupby("row", sort=False)
    }
    smaller = [text for text in table.smaller.unique() if text]
    return {"columns": list(table.column.unique()), "rows": rows, "smaller": smaller}


def number(value: float) -> str:
    """Four significant digits; nothing for a missing value."""
    return "" if pd.isna(value) else f"{value:.4g}"


def signed(value: float) -> str:
    """Like ``number``, with its sign."""
    return "" if pd.isna(value) else f"{value:+.4g}"


def percent(value: float) -> str:
    """A fraction in percent with one decimal; nothing for a missing value."""
    return "" if pd.isna(value) else f"{100 * value:.1f} %"


def interval(low: float, high: float) -> str:
    """An interval in brackets; nothing where there is none."""
    return "" if pd.isna(low) else f"[{low:.3g}, {high:.3g}]"


if __name__ == "__main__":
    main(run, "report")
