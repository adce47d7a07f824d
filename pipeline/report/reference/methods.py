"""Reference, methods: every method of every folder, its settings and quantities."""

from functools import cache
from inspect import getdoc
from typing import Any

from pipeline.report.papers import first_paragraph, link
from pipeline.report.reference.markdown import fields, table
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


def parts() -> list[str]:
    """Markdown of the section."""
    markdown = ["## Methods", "The first paper that a method's file names is linked."]
    for kind, description in FOLDERS.items():
        markdown += [f"### {kind}", f"`src/robustinfo/{kind}/`: {description}."]
        for name in registry.names(kind):
            markdown += _method(kind, name)
    return markdown


def _method(kind: str, name: str) -> list[str]:
    module = registry.module(kind, {"method": name})
    text = getdoc(module) or ""
    paper = link(text)
    cited = f" [{paper[0]}]({paper[1]})" if paper else ""
    markdown = [f"#### {kind}/{name}", first_paragraph(text) + cited]
    if module.Config.model_fields:
        markdown.append(fields(module.Config, _settings_schema(kind, name)))
    named_quantities = quantities(kind, name)
    if named_quantities:
        lines = [[f"`{quantity}`", meaning] for quantity, meaning in named_quantities.items()]
        markdown.append(table(["quantity", "meaning"], lines))
    return markdown


def quantities(kind: str, name: str) -> dict[str, str]:
    """{quantity: meaning} of a method, in the order of its docstring."""
    if not hasattr(registry.contract(kind).Method, "outline"):
        return {}
    return meanings.of_quantities(registry.module(kind, {"method": name}).outline)


def _settings_schema(kind: str, name: str) -> dict[str, Any]:
    """The JSON schemas of its settings."""
    alternatives = _schema()["$defs"][kind]["allOf"]
    return next(
        way["then"]["properties"]
        for way in alternatives
        if way["if"]["properties"]["method"]["const"] == name
    )


@cache
def _schema() -> dict[str, Any]:
    return schema()
