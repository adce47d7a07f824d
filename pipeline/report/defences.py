"""What each defence of a study is, in the words of its method's file, and how it was trained."""

import ast
from pathlib import Path
from typing import Any, NamedTuple

import robustinfo.defences
from pipeline.report.papers import first_paragraph, link
from pipeline.study.external import is_external, source
from pipeline.study.slices import in_setting
from robustinfo.evaluation.display.numbers import pixels

TRAININGS = {
    "pretrain": "from random weights",
    "retrain": "from the weights of",
    "train_selected": "on selected inputs, from random weights",
}


class Described(NamedTuple):
    """One defence."""

    name: str
    is_twin: bool  # the undefended network that the others are held against
    what: str
    paper: tuple[str, str] | None  # name, address
    settings: str
    training: str


def described(study: dict[str, Any]) -> list[Described]:
    """Every defence of a study, in its order; of one that differs between settings, the first."""
    found: dict[str, Described] = {}
    for names in study["settings"]:
        own = in_setting(study, names)
        for name, entry in own["defences"].items():
            if entry is not None and name not in found:
                found[name] = _described(name, entry, own)
    return [found[name] for name in study["defences"] if name in found]


def _described(name: str, entry: dict[str, Any], study: dict[str, Any]) -> Described:
    is_twin = name == study["verdict"]["twin"]
    if is_external(entry):
        return Described(name, is_twin, f"trained elsewhere: {source(entry)}", None, "", "")
    file = Path(str(robustinfo.defences.__file__)).with_name(f"{entry['method']}.py")
    text = ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or ""
    settings = ", ".join(_words(key, value) for key, value in entry.items() if key != "method")
    return Described(
        name, is_twin, first_paragraph(text), link(text), settings, _training(name, study)
    )


def _words(key: str, value: Any) -> str:  # noqa: ANN401 - any YAML value
    """``attack (norm linf, epsilon 0.15)``."""
    if isinstance(value, dict):
        method = [value["method"]] if "method" in value else []
        inner = [_words(of, one) for of, one in value.items() if of != "method"]
        text = ", ".join([*method, *inner])
        value = f"({text})" if inner else text
    elif isinstance(value, float):
        value = pixels(value)
    return f"{key} {value}".replace("_", " ")


def _training(name: str, study: dict[str, Any]) -> str:
    """``12 epochs from the weights of standard, in batches of 64, learning rate 0.001``."""
    for early in study["stop_early"]:
        if early["defence"] == name:
            return f"the epoch of {early['of']} that is most robust on held-out images"
    for section, start in TRAININGS.items():
        loop = (study.get(section) or {}).get(name)
        if loop:
            of = f" {study['retrain_from']}" if section == "retrain" else ""
            epochs = f"{loop['epochs']} epochs {start}{of}"
            rest = [
                _words(key, loop[key]) for key in ("batch_size", "learning_rate") if key in loop
            ]
            return ", ".join([epochs, *rest])
    return ""
