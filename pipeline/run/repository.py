"""What git says of the code that runs: nothing without git, or outside a repository."""

import subprocess

# What results depend on; files that a run itself writes, as dvc.lock, are not among it.
CODE = ("src", "pipeline", "Snakefile", "pyproject.toml", "requirements.lock")


def commit() -> str:
    """The commit that is checked out; empty before the first."""
    return _git("rev-parse", "--verify", "--quiet", "HEAD")


def is_changed(*files: str) -> bool:
    """Whether the code, or one of these files, is not as committed."""
    return bool(_git("status", "--porcelain", "--", *CODE, *files))


def _git(*words: str) -> str:
    try:
        return subprocess.run(["git", *words], capture_output=True, text=True).stdout.strip()
    except FileNotFoundError:
        return ""
