"""The claims of a study with the units of their statistics, and links to their papers."""

from collections.abc import Mapping
from typing import Any

from pipeline.report import values
from pipeline.report.papers import link
from pipeline.results import units
from pipeline.study.claim import Claim
from pipeline.study.papers import titles


def in_words(lines: list[dict[str, Any]], claims: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The lines with ``shown`` and ``between``, value and interval, and ``paper``.

    paper: its title, and its address or None.
    """
    named = {name: (title, (link(title) or ("", None))[1]) for name, title in titles().items()}
    found = []
    for line in lines:
        about = Claim(**claims[line["claim"]])
        unit = _unit(about)
        compared = about.statistic == "difference" and about.against is not None
        one, two = (
            (values.signed, values.signed_interval)
            if compared
            else (values.number, values.interval)
        )
        shown = one(line["value"], unit), two(line["low"], line["high"], unit)
        words = dict(zip(("shown", "between"), shown, strict=True))
        found.append(line | words | {"paper": named.get(line["source"], (line["source"], None))})
    return found


def _unit(claim: Claim) -> str:
    """The unit of a difference or a value; a ratio and a correlation have none."""
    if claim.statistic != "difference" or claim.comes_to == "half_rise":
        return ""
    names = claim.of.get("quantity")
    listed = names if isinstance(names, list) else [names]
    found = {units.of_quantity(str(name)) for name in listed}
    return found.pop() if len(found) == 1 else ""
