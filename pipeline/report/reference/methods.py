"""Of the reference: every method of every folder, its settings and what it calls its rows."""

import re
from functools import cache
from inspect import getdoc
from typing import Any

from pipeline.report.reference.words import fields, table
from pipeline.study import meanings
from pipeline.study.json_schema import schema
from robustinfo.core import registry

FOLDERS = {
    "datasets": "images and texts, with their labels",
    "models": "networks",
    "losses": "of the logits and the labels, for defences",
    "defences": "what is minimised in training",
    "attacks": "what changes images, or texts, so that a network errs",
    "measures": "of the activations of layers",
    "complexities": "of single images or texts",
    "distortions": "of images, without a look at the network",
    "diagnostics": "of a network: whether attacks on it can be believed, and what explains it",
    "learning": "what networks need to learn a set of images, and what they learn from it",
    "toys": "exact computations without a data set",
}
PAPER = re.compile(r"arXiv (\d{4}\.\d{4,5})")


def parts() -> list[str]:
    """Markdown."""
    found = ["## Methods", "The first paper that a method's file names is linked."]
    for kind, what in FOLDERS.items():
        found += [f"### {kind}", f"`src/robustinfo/{kind}/`: {what}."]
        for name in registry.names(kind):
            found += _method(kind, name)
    return found


def _method(kind: str, name: str) -> list[str]:
    module = registry.module(kind, {"method": name})
    text = getdoc(module) or ""
    paper = PAPER.search(text)
    line = " ".join(text.split("\n\n")[0].split())
    link = f" [arXiv {paper[1]}](https://arxiv.org/abs/{paper[1]})" if paper else ""
    found = [f"#### {kind}/{name}", line + link]
    if module.Config.model_fields:
        found.append(fields(module.Config, _shape(kind, name)))
    said = quantities(kind, name)
    if said:
        lines = [[f"`{one}`", meaning] for one, meaning in said.items()]
        found.append(table(["quantity", "meaning"], lines))
    return found


def quantities(kind: str, name: str) -> dict[str, str]:
    """{quantity: meaning} of a method, in the order in which its file says them."""
    if not hasattr(registry.contract(kind).Method, "outline"):
        return {}
    return meanings.of_quantities(registry.module(kind, {"method": name}).outline)


def _shape(kind: str, name: str) -> dict[str, Any]:
    """The JSON schemas of its settings."""
    ways = _schema()["$defs"][kind]["allOf"]
    return next(
        way["then"]["properties"]
        for way in ways
        if way["if"]["properties"]["method"]["const"] == name
    )


@cache
def _schema() -> dict[str, Any]:
    return schema()
