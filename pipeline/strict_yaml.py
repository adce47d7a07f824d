"""One strict reader of study files: YAML 1.2 as DVC reads it, no duplicate keys, lines known."""

from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.constructor import DuplicateKeyError
from ruamel.yaml.error import MarkedYAMLError
from ruamel.yaml.nodes import MappingNode, Node, SequenceNode

from robustinfo.faults import Fault

Key = tuple[str | int, ...]


class StudyError(Fault):
    """What no job should start with in a study file: file, line, key, problem, choices."""


def read(file: Path) -> tuple[dict[str, Any], dict[Key, int]]:
    """The file's content, and the line (from 1) of every key in it. Raises StudyError."""
    if not file.is_file():
        there = sorted(str(f) for f in [Path("params.yaml"), *Path("studies").glob("*.yaml")])
        raise StudyError(f"{file}: no such study file; choose from {', '.join(there)}")
    text = file.read_text()
    try:
        content = YAML(typ="safe", pure=True).load(text)
        root = YAML(typ="safe", pure=True).compose(text)
    except DuplicateKeyError as error:
        # "found duplicate key "x" with value ..."
        line, what = error.problem_mark.line + 1, error.problem.split(" with value")[0]
        raise StudyError(f"{file}:{line}: {what}; keep one of the two") from None
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise StudyError(f"{file}:{line}: not YAML: {error.problem}") from None
    if not isinstance(content, dict):
        raise StudyError(f"{file}:1: a study is a mapping of keys, not {type(content).__name__}")
    return content, dict(_lines(root, ()))


def _lines(node: Node, key: Key) -> list[tuple[Key, int]]:
    found = []
    if isinstance(node, MappingNode):
        for name, value in node.value:
            inner = (*key, name.value)
            found += [(inner, name.start_mark.line + 1), *_lines(value, inner)]
    elif isinstance(node, SequenceNode):
        for index, value in enumerate(node.value):
            found += [((*key, index), value.start_mark.line + 1), *_lines(value, (*key, index))]
    return found
