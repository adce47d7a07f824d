r"""A union for a paper: accuracy and verdict by threat model, their average, and that in all."""

from collections.abc import Mapping
from typing import Any

from robustinfo.evaluation.report.latex import ball, escape, framed, percent, with_interval
from robustinfo.evaluation.report.schema import Document
from robustinfo.evaluation.report.verdicts import INTERVAL, accuracy_name
from robustinfo.evaluation.union.schema import Union, checked

HEAD = r"threat model & accuracy (\%) & 95\,\% interval & after remedies (\%) & verdict"


def table(content: Mapping[str, Any]) -> str:
    """A table in booktabs lines, with a caption.  content: of union.json. Raises UserError."""
    union = checked(content)
    clean = with_interval(content["clean_accuracy"], content["clean_interval"])
    lines = [f"none & {clean} & & \\\\", r"\midrule"]
    lines += [_line(ball(one.threat), one.model_dump()) for one in union.threats.values()]
    lines += [r"\midrule", f"average & {percent(content['average_accuracy'])} & & & \\\\"]
    return framed(_caption(union), "lrrrl", HEAD, [*lines, _line("union", content)])


def _line(name: str, one: Mapping[str, Any]) -> str:
    robust = with_interval(one["robust_accuracy"], one["interval"], one["verdict"])
    after = one["after_remedies"]
    left = "" if after is None else with_interval(after["accuracy"], after["interval"], "", " ")
    return f"{name} & {robust} & {left} & {escape(one['verdict'])} \\\\"


def _caption(union: Union) -> str:
    about: Document = union.worst
    version = f"{about.protocol.name} of robustinfo {about.robustinfo or ''}".rstrip()
    return (
        f"Clean and {accuracy_name(about)} of {escape(about.model.source)} on {about.n:,} images "
        f"of {escape(about.data.root)}, protocol {escape(version)}, seed {about.seed}. Of the "
        "union: images that are correct under every attack of every threat model. Intervals: "
        f"{escape(INTERVAL)}."
    )
