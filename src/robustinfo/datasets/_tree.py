"""The content of a folder of images, listed once, without opening a file.

Images are recognised by their endings, those of torchvision's ImageFolder. Hidden folders and
files, and those of the operating system, are skipped. A link is followed where it leads out of the
tree; never into a folder above it, nor into one that is listed already. Pipes, sockets and devices
are never opened, whatever their names.
"""

import os
import re
from collections import deque
from pathlib import Path
from typing import NamedTuple

from robustinfo.datasets._storage import DataError

HERE = Path()  # the tree's top, relative to itself
ENDINGS = (".jpg", ".jpeg", ".png", ".ppm", ".bmp", ".pgm", ".tif", ".tiff", ".webp")
SYSTEM = {
    "__macosx", "__pycache__", "@eadir", "#recycle", "#snapshot", "$recycle.bin", "lost+found",
    "system volume information", "icon\r", "thumbs.db", "desktop.ini",
}  # fmt: skip
SHOWN = 5  # names in an error or in what is left out
# A lone surrogate is a byte that is not UTF-8; a control character, a separator of lines or a
# change of the direction of writing makes a name look like another, or ends a line.
UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")
# Why something is left out, and what it is.
HIDDEN = "hidden, or of the system"
NO_IMAGE = "files whose endings are not those of images"
SPECIAL = "pipes, sockets or devices, which are not opened"
ALREADY_LISTED = "links to a folder that is read already, or is above"


class Tree(NamedTuple):
    """The listed tree; all paths are relative to the top."""

    top: Path
    images: dict[Path, list[str]]  # every folder that was listed: its image files, by name
    left_out: list[tuple[Path, str]]  # a file or a folder, and why
    aliases: dict[Path, Path]  # a link that is not followed: the folder in the tree that it means
    depths: dict[Path, int]  # folders with images: how many folders down the deepest of them lies

    def folders_in(self, folder: Path) -> list[Path]:
        """The folders in a folder, sorted by name."""
        return sorted(one for one in self.images if one != HERE and one.parent == folder)


def scan(top: Path) -> Tree:
    """List a tree. Raises DataError for an unreadable folder or a name that is not printable."""
    tree, real = Tree(top, {}, [], {}, {}), top.resolve()
    seen: dict[tuple[int, int], Path] = {}
    # Links wait until all else is listed: of a folder and a link to it, the folder is the class.
    waiting, links = deque([HERE]), deque[Path]()
    while waiting or links:
        folder = waiting.popleft() if waiting else links.popleft()
        path = top / folder
        key = (path.stat().st_dev, path.stat().st_ino)
        if key in seen or (folder != HERE and real.is_relative_to(path.resolve())):
            tree.left_out.append((folder, ALREADY_LISTED))
            tree.aliases[folder] = seen.get(key, HERE)
            continue
        seen[key], tree.images[folder] = folder, []
        for entry in _entries(path):
            if why := _skip_reason(entry):
                tree.left_out.append((folder / entry.name, why))
            elif not _is_folder(entry):
                tree.images[folder].append(entry.name)
            else:
                (links if entry.is_symlink() else waiting).append(folder / entry.name)
    for folder in (folder for folder, files in tree.images.items() if files):
        for depth, above in enumerate([folder, *folder.parents]):
            tree.depths[above] = max(depth, tree.depths.get(above, 0))
    return tree


def _entries(folder: Path) -> list[os.DirEntry]:
    """The entries of a folder, sorted by name."""
    try:
        with os.scandir(folder) as entries:
            listing = sorted(entries, key=lambda entry: entry.name)
    except OSError as error:
        raise DataError(
            f"{printable(folder)} cannot be listed ({error.strerror}); make it readable, or move "
            "it out of the folder of images"
        ) from error
    for entry in listing:
        if UNPRINTABLE.search(entry.name) and not _hidden(entry.name):
            raise DataError(
                f"{printable(folder)} has {printable(entry.name)}, a name that is not UTF-8 or "
                "has control characters; rename it"
            )
    return listing


def _hidden(name: str) -> bool:
    return name.startswith(".") or name.casefold() in SYSTEM


def _skip_reason(entry: os.DirEntry) -> str | None:
    """Why an entry is skipped; None: it is a folder to list or a file to read."""
    if _hidden(entry.name):
        return HIDDEN
    if _is_folder(entry):
        return None
    if not entry.name.lower().endswith(ENDINGS):
        return NO_IMAGE
    # A link that leads nowhere stays: its image is missing, which reading it says.
    if entry.is_symlink():
        return SPECIAL if os.path.exists(entry.path) and not os.path.isfile(entry.path) else None
    return None if entry.is_file() else SPECIAL


def _is_folder(entry: os.DirEntry) -> bool:
    """Whether an entry is a folder, or a link to one; only links need a look at the disk."""
    return os.path.isdir(entry.path) if entry.is_symlink() else entry.is_dir()


def printable(text: Path | str) -> str:
    """The text itself, or with escapes for characters that are not printable."""
    return ascii(str(text)) if UNPRINTABLE.search(str(text)) else str(text)


def listed(names: list[str]) -> str:
    """The names, or the first of them and how many more there are."""
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(map(printable, names[:SHOWN])) + more
