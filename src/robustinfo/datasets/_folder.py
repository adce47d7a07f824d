"""A folder of images, class by class, laid out as for torchvision's ImageFolder.

``FOLDER/CLASS/*.png``, or one such folder per split: ``FOLDER/{train,val,test}/CLASS/*.png``. Where
all images are grey, they have one channel, otherwise three. The images are in a fixed random order,
by a hash of the files' names, as by name one class follows the other. Everything else in the folder
is left out and reported; an ambiguous layout is an error.
"""

from collections import Counter
from hashlib import sha256
from pathlib import Path

import torch
from torch import Tensor

from robustinfo.datasets import _classes, _splits
from robustinfo.datasets._image_files import ImageFiles
from robustinfo.datasets._storage import DataError
from robustinfo.datasets._summary import DataSummary
from robustinfo.datasets._tree import HERE, NO_IMAGE, UNPRINTABLE, Tree, listed, printable, scan


def read(
    folder: Path, split: str, *, size: int | None, limit: int | None, class_file: Path | None
) -> tuple[ImageFiles, Tensor, list[str], DataSummary]:
    """Images, labels int64 (n,), classes, and a summary. Raises DataError.

    size: as in ``ImageFiles``. limit: the most images.
    class_file: a file with the classes in order; None: the order of ``in_logit_order``.
    """
    if UNPRINTABLE.search(str(folder)):
        raise DataError(
            f"{printable(folder)}: the name is not UTF-8 or has control characters; rename it"
        )
    class_names = [] if class_file is None else _classes.read_names(class_file)
    tree = scan(folder)
    chosen = _splits.classes_in(tree, split, class_names)
    files = _files(tree, chosen, class_file, class_names)
    if class_file is None:
        classes, order = _classes.in_logit_order(folder / chosen, [*files])
    else:
        classes, order = class_names, f"as {class_file} has it"
    files_read = sorted(
        (Path(name, file) for name in files for file in files[name]),
        key=lambda file: sha256(file.as_posix().encode()).digest(),
    )[:limit]
    images = ImageFiles([folder / chosen / file for file in files_read], size)
    notes = images.notes
    if class_file is None and classes != sorted(classes):
        notes.append(
            f"ImageFolder sorts these folders as text ({listed(sorted(classes))}); if the network "
            "was trained in that order, name the classes in it with --classes"
        )
    summary = DataSummary(
        root=str(folder / chosen),
        split=None if chosen == HERE else chosen.name,
        classes={name: len(files.get(name, [])) for name in classes},
        order=order,
        n=len(files_read),
        left_out=_left_out(tree, chosen),
        notes=notes,
    )
    places = {name: place for place, name in enumerate(classes)}
    labels = torch.tensor([places[file.parent.name] for file in files_read])
    return images, labels, [*classes], summary


def _files(
    tree: Tree, chosen: Path, class_file: Path | None, class_names: list[str]
) -> dict[str, list[str]]:
    """The image files of every class that has any, sorted. Raises DataError."""
    root = tree.top / chosen
    folders = tree.folders_in(chosen)
    empty = [one.name for one in folders if one not in tree.depths]
    files = {one.name: tree.images[one] for one in folders if one in tree.depths}
    for link, target in tree.aliases.items():
        if link.parent == chosen and not link.is_relative_to(target):
            raise DataError(
                f"{tree.top / link} is a link to {tree.top / target}, so its images would be of "
                "two classes or splits; remove one"
            )
    if not files:
        has = f"images, but not class by class ({listed(tree.images[chosen])})"
        raise DataError(
            f"{root} has {has if tree.images[chosen] else 'no images class by class'}"
            f"{': its folders are without, ' + listed(empty) if empty else ''}; give "
            "a folder that has one folder of images per class"
        )
    if class_file is not None and (unknown := sorted({*files} - {*class_names})):
        raise DataError(
            f"{root} has {len(unknown)} folders that {class_file} does not name: "
            f"{listed(unknown)}; add them in the order of the network's logits"
        )
    if without := sorted({*empty} & {*class_names}):
        raise DataError(
            f"{root} has no images of {listed(without)}, a class of {class_file}; add its "
            "images, or remove its folder to judge without them"
        )
    return files


def _left_out(tree: Tree, chosen: Path) -> list[tuple[str, int, str]]:
    """What is in the folder and not read: (description, count, reason)."""
    beside = [one.name for one in tree.folders_in(HERE) if chosen not in (HERE, one)]
    empty = [one.name for one in tree.folders_in(chosen) if one not in tree.depths]
    loose = tree.images[chosen]
    rows = [
        (listed(beside), len(beside), "folders beside the split's"),
        (listed(empty), len(empty), "folders without images, so no classes of these data"),
        (listed(loose), len(loose), "images in no class's folder"),
    ]
    reasons: dict[str, list[Path]] = {}
    for path, why in tree.left_out:
        if path.is_relative_to(chosen):
            reasons.setdefault(why, []).append(path.relative_to(chosen))
    for why, paths in reasons.items():
        endings = Counter(sorted(path.suffix.lower() or "no ending" for path in paths))
        counts = [f"{count:,} of {ending}" for ending, count in endings.most_common()]
        what = listed(counts if why == NO_IMAGE else [one.as_posix() for one in paths])
        rows.append((what, len(paths), why))
    return [one for one in rows if one[1]]
