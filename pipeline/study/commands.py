"""``python -m pipeline check FILE`` and ``resolve FILE``: a study, checked and in full."""

import argparse
from collections.abc import Sequence
from io import StringIO
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from pipeline.study.check import load
from pipeline.study.completed import completed
from pipeline.study.slices import in_setting
from pipeline.study.strict_yaml import StudyError

WIDTH = 10**6  # ruamel folds plain keys of several words into lines that are no YAML


def check(words: Sequence[str]) -> None:
    """Say in a line what the study is. Raises StudyError at its first problem."""
    parser = argparse.ArgumentParser("python -m pipeline check")
    file = _file(parser, words).file
    print(f"{file}: {told(load(file))}")


def resolve(words: Sequence[str]) -> None:
    """Print the study with all that it inherits and leaves out; for one setting, as that sees it.

    Without a setting what is printed is a study: it may be saved and checked. Raises StudyError.
    """
    parser = argparse.ArgumentParser("python -m pipeline resolve")
    parser.add_argument("--setting", metavar="DATASET/MODEL", help="choose every `per` for it")
    asked = _file(parser, words)
    study = load(asked.file)
    if asked.setting:
        study = of_setting(study, asked.setting)
    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style = None  # what holds no mappings is on one line
    yaml.width = WIDTH
    yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment]
    yaml.dump(study, text := StringIO())
    print(text.getvalue(), end="")


def told(study: dict[str, Any]) -> str:
    """``quickstart: 1 setting, 4 defences, 2 seeds: 8 runs; 5 tables, 7 figures, 9 claims``."""
    defences = {name for one in study["settings"] for name in in_setting(study, one)["defences"]}
    each = [len(in_setting(study, one)["defences"]) for one in study["settings"]]
    runs = sum(each) * len(study["seeds"])
    of = {"setting": study["settings"], "defence": defences, "seed": study["seeds"]}
    shows = {name[:-1]: study[name] for name in ("tables", "figures", "claims")}
    return f"{study['name']}: {_counts(of)}: {_count(runs, 'run')}; {_counts(shows)}"


def of_setting(study: dict[str, Any], name: str) -> dict[str, Any]:
    """The study as one of its settings sees it, with the defaults of every method."""
    settings = {f"{one['dataset']}/{one['model']}": one for one in study["settings"]}
    if name not in settings:
        raise StudyError(f"no setting {name!r}; choose from {', '.join(settings)}")
    return completed(in_setting(study, settings[name])) | {"settings": [settings[name]]}


def _file(parser: argparse.ArgumentParser, words: Sequence[str]) -> argparse.Namespace:
    parser.add_argument("file", type=Path, help="the study file, as params.yaml")
    return parser.parse_args(words)


def _counts(of: dict[str, Any]) -> str:
    return ", ".join(_count(len(those), name) for name, those in of.items())


def _count(number: int, name: str) -> str:
    return f"{number:,} {name}{'' if number == 1 else 's'}"
