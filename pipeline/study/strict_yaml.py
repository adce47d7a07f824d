"""Strict reader of study files: YAML 1.2 as DVC reads it, no duplicate keys, line numbers known.

Anything but plain mappings, lists, texts and numbers is refused with its line before any of it
is built: a nest of aliases that would unfold to gigabytes ("billion laughs") is counted, not
unfolded.
"""

from copy import deepcopy
from functools import lru_cache
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.constructor import DuplicateKeyError
from ruamel.yaml.error import MarkedYAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from ruamel.yaml.reader import ReaderError

from pipeline.study.yaml_limits import check_events
from robustinfo.core.errors import UserError

Key = tuple[str | int, ...]
MAX_BYTES = 1_000_000
NUMBERS = {"tag:yaml.org,2002:int": "int", "tag:yaml.org,2002:float": "float"}
TEXT, MERGE = "tag:yaml.org,2002:str", "tag:yaml.org,2002:merge"
SCALARS = {*NUMBERS, TEXT, MERGE, "tag:yaml.org,2002:bool", "tag:yaml.org,2002:null"}
MAX_LETTERS = 80  # letters of a value that an error repeats
MAX_NUMBER = 2**63 - 1  # of a seed, a step or a count, for every library


class StudyError(UserError):
    """An error in a study file: its file, line, key, problem and choices."""


def read(file: Path) -> tuple[dict[str, Any], dict[Key, int]]:
    """The file's content, and the line (from 1) of every key in it. Raises StudyError."""
    if not file.is_file():
        choices = sorted(str(f) for f in [Path("params.yaml"), *Path("studies").glob("*.yaml")])
        raise StudyError(f"{file}: no such study file; choose from {', '.join(choices)}")
    content, lines = _parse(file, _read_text(file))
    return deepcopy(content), lines


@lru_cache(maxsize=8)  # references are asked for once per claim
def _parse(file: Path, text: str) -> tuple[dict[str, Any], dict[Key, int]]:
    yaml = YAML(typ="safe", pure=True)
    try:
        if problem := check_events(yaml.parse(text)):
            line, what = problem
            raise StudyError(f"{file}:{line}: {what}")
        root = yaml.compose(text)
        _check_scalars(file, yaml, root, (), set())
        lines = dict(_lines(root, ()))
        content = root and yaml.constructor.construct_document(root)
    except DuplicateKeyError as error:
        # "found duplicate key "x" with value ..."
        line, what = error.problem_mark.line + 1, error.problem.split(" with value")[0]
        raise StudyError(f"{file}:{line}: {what}; keep one of the two") from None
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise StudyError(f"{file}:{line}: not YAML: {error.problem}") from None
    except ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        what = f"the control character {chr(error.character)!r}"
        raise StudyError(f"{file}:{line}: not YAML: {what}; delete it") from None
    if not isinstance(content, dict):
        kind = "an empty file" if content is None else type(content).__name__
        raise StudyError(f"{file}:1: a study is a mapping of keys, not {kind}")
    return content, lines


def dotted(key: Key) -> str:
    """``attacks.pgd.epsilon``, always on one line."""
    text = ".".join(map(str, key))
    text = "".join(
        character if character.isprintable() else repr(character)[1:-1] for character in text
    )
    return text if len(text) <= 3 * MAX_LETTERS else f"{text[: 3 * MAX_LETTERS]}..."


def abbreviated(value: Any) -> str:  # noqa: ANN401 - any YAML value
    """A value for an error message: on one line, and cut if it is long."""
    text = repr(value)
    return text if len(text) <= MAX_LETTERS else f"{text[:MAX_LETTERS]}..."


def _read_text(file: Path) -> str:
    try:
        content = file.read_bytes()
    except OSError as error:
        raise StudyError(f"{file}: cannot be read: {error.strerror}") from None
    if len(content) > MAX_BYTES:
        problem = f"{len(content):,} bytes are no study, which has {MAX_BYTES:,} at most"
        raise StudyError(f"{file}:1: {problem}")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        problem = f"byte 0x{content[error.start]:02x} is not UTF-8; save the file as UTF-8"
        raise StudyError(f"{file}:{line}: {problem}") from None


def _check_scalars(file: Path, yaml: YAML, node: Node, key: Key, seen: set[int]) -> None:
    """Check that keys are texts, and scalars texts, true, false, null or finite numbers."""
    if node is None or id(node) in seen:
        return  # an alias, which was checked where it stands in full
    seen.add(id(node))

    def fail(one: Node, problem: str) -> StudyError:
        place = f"{file}:{one.start_mark.line + 1}: {dotted(key)}"
        return StudyError(f"{place}: {problem}" if key else f"{place}{problem}")

    if isinstance(node, ScalarNode):
        if node.tag not in SCALARS:
            raise fail(node, f"{node.value!r} reads as a {_kind(node)}; a text stands in quotes")
        if node.tag in NUMBERS and not _is_representable(yaml, node):
            raise fail(node, f"{abbreviated(node.value)} is no number that a study can hold")
    for index, child in enumerate(node.value if isinstance(node, SequenceNode) else ()):
        _check_scalars(file, yaml, child, (*key, index), seen)
    for name, value in node.value if isinstance(node, MappingNode) else ():
        if not isinstance(name, ScalarNode):
            raise fail(name, "a key is a text, not a list or a mapping")
        if name.tag not in (TEXT, MERGE):
            advice = "a key is a text, write it in quotes"
            raise fail(name, f"key {abbreviated(name.value)} reads as {_kind(name)}; {advice}")
        _check_scalars(file, yaml, value, (*key, name.value), seen)


def _kind(node: ScalarNode) -> str:
    return (node.tag or "").rpartition(":")[2]


def _is_representable(yaml: YAML, node: ScalarNode) -> bool:
    """Whether a number can be parsed, and every library can hold it."""
    try:
        number = getattr(yaml.constructor, f"construct_yaml_{NUMBERS[node.tag or '']}")(node)
    except ValueError:  # of more digits than Python converts, or of none
        return False
    return abs(number) <= MAX_NUMBER  # nan is not


def _lines(node: Node, key: Key) -> list[tuple[Key, int]]:
    """(key, line) of every key; of equal keys the last wins: those merged by ``<<`` come first."""
    lines = []
    if isinstance(node, MappingNode):
        own_lines = []
        for name, value in node.value:
            if name.tag == MERGE:
                for part in value.value if isinstance(value, SequenceNode) else [value]:
                    lines += _lines(part, key)
            else:
                inner = (*key, name.value)
                own_lines += [(inner, name.start_mark.line + 1), *_lines(value, inner)]
        lines += own_lines
    elif isinstance(node, SequenceNode):
        for index, value in enumerate(node.value):
            lines += [((*key, index), value.start_mark.line + 1), *_lines(value, (*key, index))]
    return lines
