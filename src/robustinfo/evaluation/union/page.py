"""The first page of a union, which links to the page of each threat model; and its table.tex."""

from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from robustinfo.core.files import atomic_write
from robustinfo.evaluation.checks import UNTRUSTED
from robustinfo.evaluation.display.badges import BADGES
from robustinfo.evaluation.report import verdicts
from robustinfo.evaluation.report.page import environment
from robustinfo.evaluation.report.writing import EXTRA, PAGE
from robustinfo.evaluation.union import latex
from robustinfo.evaluation.union.schema import checked


def write(folder: Path, content: Mapping[str, Any]) -> list[Path]:
    """Write table.tex and, with the extra ``report``, report.html; return these files.

    content: of union.json. The pages of the threat models lie in folders of their norm. Raises
    UserError where an evaluation is not as this version's, and DiskError where the disk refuses.
    """
    texts = {"table.tex": latex.table(content)}
    if all(map(find_spec, EXTRA)):
        texts[PAGE] = page(content)
    for name, text in texts.items():
        with atomic_write(folder / name) as partial:
            partial.write_text(text, encoding="utf-8")
    return [folder / name for name in texts]


def page(content: Mapping[str, Any]) -> str:
    """The page in HTML.  content: of union.json."""
    union = checked(content)
    return (
        environment(Path(__file__).parent)
        .get_template("union.html")
        .render(
            union=content,
            e=union.worst,
            threats={
                norm: (verdicts.threat(one), one, f"{norm}/{PAGE}")
                for norm, one in union.threats.items()
            },
            words=verdicts.words(union.worst),
            accuracy_name=verdicts.accuracy_name(union.worst),
            interval=verdicts.INTERVAL,
            untrusted=UNTRUSTED,
            badges=BADGES,
        )
    )
