"""``python -m pipeline check FILE`` and ``resolve FILE``: a study, checked and in full."""

import argparse
from collections.abc import Sequence
from io import StringIO
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from pipeline.study import external
from pipeline.study.check import load
from pipeline.study.defaults import with_defaults
from pipeline.study.slices import in_setting
from pipeline.study.strict_yaml import StudyError

WIDTH = 10**6  # ruamel folds plain keys of several words into lines that are no YAML


def check(arguments: Sequence[str]) -> None:
    """Print a line on the checked study. Raises StudyError at its first problem."""
    parser = argparse.ArgumentParser("python -m pipeline check")
    file = _parse(parser, arguments).file
    print(f"{file}: {summary(load(file))}")


def resolve(arguments: Sequence[str]) -> None:
    """Print the study with all that it inherits, and every default; for one setting if asked.

    Without a setting, what is printed is a study file itself. Raises StudyError.
    """
    parser = argparse.ArgumentParser("python -m pipeline resolve")
    parser.add_argument("--setting", metavar="DATASET/MODEL", help="choose every `per` for it")
    options = _parse(parser, arguments)
    study = load(options.file)
    if options.setting:
        study = study_in_setting(study, options.setting)
    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style = None  # innermost collections are on one line
    yaml.width = WIDTH
    yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment]
    yaml.dump(study, text := StringIO())
    print(text.getvalue(), end="")


def summary(study: dict[str, Any]) -> str:
    """``quickstart: 1 setting, 4 defences, 2 seeds: 8 runs; 5 tables, 7 figures, 9 claims``."""
    studies = [in_setting(study, setting) for setting in study["settings"]]
    defences = {name for one in studies for name in one["defences"]}
    elsewhere = sum(len(external.names(one)) for one in studies)  # of one seed each
    trained_here = sum(len(one["defences"]) for one in studies) - elsewhere
    runs = trained_here * len(study["seeds"]) + elsewhere
    trained = {"setting": study["settings"], "defence": defences, "seed": study["seeds"]}
    shows = {name[:-1]: study[name] for name in ("tables", "figures", "claims")}
    return f"{study['name']}: {_counts(trained)}: {_count(runs, 'run')}; {_counts(shows)}"


def study_in_setting(study: dict[str, Any], name: str) -> dict[str, Any]:
    """The study in one of its settings, with the defaults of every method."""
    settings = {
        f"{setting['dataset']}/{setting['model']}": setting for setting in study["settings"]
    }
    if name not in settings:
        raise StudyError(f"no setting {name!r}; choose from {', '.join(settings)}")
    return with_defaults(in_setting(study, settings[name])) | {"settings": [settings[name]]}


def _parse(parser: argparse.ArgumentParser, arguments: Sequence[str]) -> argparse.Namespace:
    parser.add_argument("file", type=Path, help="the study file, as params.yaml")
    return parser.parse_args(arguments)


def _counts(collections: dict[str, Any]) -> str:
    return ", ".join(_count(len(items), name) for name, items in collections.items())


def _count(number: int, name: str) -> str:
    return f"{number:,} {name}{'' if number == 1 else 's'}"
