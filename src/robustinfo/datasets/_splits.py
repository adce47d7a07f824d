"""The folder of a tree that holds the classes: the top itself, or the one of a split.

Splits and classes are told apart by the depth of the images: ``FOLDER/CLASS/*``, or one folder
deeper, ``FOLDER/SPLIT/CLASS/*``. Splits are recognised by their words in any case (``Test``,
``TRAIN``, ``val2017``, ``training_set``). Any other tree of two levels is an error, as are images
directly in folders that are named like splits: read as classes, they would give wrong labels
silently.
"""

import re
from collections.abc import Iterable
from pathlib import Path

from robustinfo.datasets._storage import DataError
from robustinfo.datasets._tree import HERE, Tree, listed

ROLES = {
    "train": r"trn|train|training|trainval",
    "val": r"val|valid|validate|validation|dev|devel|development",
    "test": r"tst|test|tests|testing",
    "evaluation": r"eval|evaluate|evaluation",
    "holdout": r"hold|held|holdout|heldout",
}
# What may stand beside a split's word and changes nothing, as a word of its own or joined to it.
BESIDE = r"sets?|data|datasets?|splits?|images?|imgs?|pictures?|photos?|samples?|folder|out"


def classes_in(tree: Tree, split: str, class_names: Iterable[str]) -> Path:
    """The folder, relative to the top, whose folders are the classes. Raises DataError.

    class_names: known classes; a folder of such a name is a class, even if it looks like a split.
    """
    chosen = HERE
    if any(tree.depths.get(child) for child in tree.folders_in(HERE)):
        chosen = _split_folder(tree, split)
    root, children = (
        tree.top / chosen,
        [one for one in tree.folders_in(chosen) if one in tree.depths],
    )
    for child in children:
        if tree.depths[child]:
            raise DataError(
                f"{tree.top / child} has images in folders of its own ({_below(tree, child)}): it "
                "may be a class or hold classes; put a class's images directly into its "
                "folder, or give the folder of the classes that is meant, such as --data "
                f"{tree.top / child}"
            )
    names = [child.name for child in children]
    if not {*names} <= {*class_names} and _look_like_splits(names):
        raise DataError(
            f"{root} has images directly in {listed(names)}: called like splits, not like classes; "
            f"put them into a folder per class, as {root / names[0]}/CLASS, or, if these are the "
            "classes, name them in a file with --classes"
        )
    return chosen


def role(name: str) -> str | None:
    """The split in a folder's name; several are joined by +; None: no split."""
    words = {
        one for one, pattern in ROLES.items() if any(_matches(pattern, w) for w in _words(name))
    }
    return "+".join(sorted(words)) or None


def _split_folder(tree: Tree, split: str) -> Path:
    """The folder of the split, in a tree whose images are two folders deep or deeper."""
    folders = tree.folders_in(HERE)
    match = _folders_of_split(folders, split)
    others = {role(one.name) for one in folders if one not in match} - {None, role(split)}
    if len(match) == 1 and (
        others or all(one in match or one not in tree.depths for one in folders)
    ):
        return match[0]
    filled = [one for one in folders if one in tree.depths]
    if not any(role(one.name) for one in [*match, *filled]):
        return HERE  # where folders within classes are refused
    problem = f"has no {split!r}"
    if match:
        called = listed([one.name for one in match])
        problem = f"has more than one folder for {split!r}: {called}"
        if len(match) == 1:
            problem = f"has {called} beside folders that are no splits"
    example = (match or filled)[0]
    raise DataError(
        f"{tree.top} {problem}; it has images in {listed([one.name for one in filled])}, with such "
        f"folders as {_below(tree, example)}; give the folder of the classes that is meant, such "
        f"as --data {tree.top / example}"
    )


def _folders_of_split(folders: list[Path], split: str) -> list[Path]:
    """Folders called like the split: exactly so in any case, else by a word of its role."""
    by_name = [one for one in folders if one.name.casefold() == split.casefold()]
    return by_name or [one for one in folders if role(split) and role(one.name) == role(split)]


def _look_like_splits(names: list[str]) -> bool:
    """Whether folders with images, by their names, are rather splits than classes."""
    pure = {role(name) for name in names if _is_split_name(name)}
    return (
        len(pure) > 1
        or (bool(names) and all(map(_is_split_name, names)))
        or (all(map(role, names)) and len({*map(role, names)}) > 1)
    )


def _is_split_name(name: str) -> bool:
    """Whether a name is that of a split and nothing else: ``test_set``, not ``crash test``."""
    matched = [any(_matches(one, word) for one in ROLES.values()) for word in _words(name)]
    return any(matched) and all(
        yes or re.fullmatch(BESIDE, word) for yes, word in zip(matched, _words(name), strict=True)
    )


def _matches(pattern: str, word: str) -> bool:
    return re.fullmatch(rf"({pattern})({BESIDE})?", word) is not None


def _words(name: str) -> list[str]:
    separated = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)
    return [word.lower() for word in re.findall(r"[^\W\d_]+", separated)]


def _below(tree: Tree, folder: Path) -> str:
    """The first folders with images below a folder, by their paths."""
    found = [
        other.as_posix()
        for other, files in tree.images.items()
        if files and other != folder and other.is_relative_to(folder)
    ]
    return listed(sorted(found) or [folder.as_posix()])
