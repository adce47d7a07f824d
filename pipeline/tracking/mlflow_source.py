"""Which code a run is of, as MLflow's tags say it. Nothing here knows mlflow."""

import subprocess
from pathlib import Path

# What results depend on; files that a run itself writes, as dvc.lock, are not among it.
CODE = ("src", "pipeline", "Snakefile", "pyproject.toml", "requirements.lock")


def tags(file: Path, study: str) -> dict[str, str]:
    """Commit and study; ``dirty: yes`` where code or the study file is not as committed."""
    commit = _git("rev-parse", "--verify", "--quiet", "HEAD")
    changed = _git("status", "--porcelain", "--", *CODE, str(file))
    found = {"mlflow.source.git.commit": commit} if commit else {}
    found |= {"mlflow.source.name": str(file), "mlflow.source.type": "LOCAL"}
    return found | {"study": study, "dirty": "yes" if changed else "no"}


def _git(*command: str) -> str:
    """Output of git; empty without git, or before the first commit."""
    try:
        return subprocess.run(["git", *command], capture_output=True, text=True).stdout.strip()
    except FileNotFoundError:
        return ""
