"""Clean copies of the commits at which units began: edits of the working tree disturb none.

A copy is an export, no worktree: git's own records stay as they are. All copies share one folder
of results, so that a network trained at one commit can be measured at another.
"""

import datetime
import io
import shutil
import subprocess
import tarfile
from pathlib import Path

from pipeline.evidence.units import CHECKOUTS
from robustinfo.core.errors import UserError
from robustinfo.core.files import disk_errors


def head() -> str:
    """The commit that a unit begins at now."""
    return full("HEAD")


def full(commit: str) -> str:
    """All 40 digits of a commit's name. Raises UserError if there is none."""
    return _git("rev-parse", "--verify", "--quiet", f"{commit}^{{commit}}").decode().strip()


def date(commit: str) -> str:
    """The date in UTC at which the commit was made."""
    seconds = int(_git("show", "--no-patch", "--format=%ct", commit))
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC).date().isoformat()


def at(commit: str) -> Path:
    """The folder that holds the commit's files. commit: all 40 digits."""
    folder = CHECKOUTS / commit
    if folder.is_dir():
        return folder
    partial = folder.with_name(f".{commit}.partial")
    archive = io.BytesIO(_git("archive", "--format=tar", commit))
    with disk_errors(folder):
        shutil.rmtree(partial, ignore_errors=True)
        with tarfile.open(fileobj=archive) as content:
            content.extractall(partial, filter="data")
        (partial / "results").symlink_to(Path("../../results"))
        partial.rename(folder)
    return folder


def _git(*words: str) -> bytes:
    done = subprocess.run(["git", *words], capture_output=True)
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip() or "no such commit here"
        raise UserError(
            f"git {words[0]} {words[-1]}: {said}; in a shallow clone: git fetch --unshallow"
        )
    return done.stdout
