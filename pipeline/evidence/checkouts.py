"""Clean copies of the commits at which units began, independent of edits in the working tree.

A copy is an export, no worktree: the repository is not changed. All copies share one folder
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
    """The current commit, at which a new unit begins."""
    return full("HEAD")


def full(commit: str) -> str:
    """All 40 digits of a commit. Raises UserError if there is no such commit."""
    return _git("rev-parse", "--verify", "--quiet", f"{commit}^{{commit}}").decode().strip()


def date(commit: str) -> str:
    """The date in UTC at which the commit was made."""
    seconds = int(_git("show", "--no-patch", "--format=%ct", commit))
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC).date().isoformat()


def at(commit: str) -> Path:
    """Folder of the commit's files, exported on first use. commit: all 40 digits."""
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
    process = subprocess.run(["git", *words], capture_output=True)
    if process.returncode:
        message = process.stderr.decode(errors="replace").strip() or "no such commit here"
        raise UserError(
            f"git {words[0]} {words[-1]}: {message}; in a shallow clone: git fetch --unshallow"
        )
    return process.stdout
