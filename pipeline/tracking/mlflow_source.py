"""Which code a run is of, as MLflow's tags say it. Nothing here knows mlflow."""

from pathlib import Path

from pipeline.run import repository


def tags(file: Path, study: str) -> dict[str, str]:
    """Commit and study; ``dirty: yes`` where code or the study file is not as committed."""
    commit = repository.commit()
    found = {"mlflow.source.git.commit": commit} if commit else {}
    found |= {"mlflow.source.name": str(file), "mlflow.source.type": "LOCAL"}
    return found | {"study": study, "dirty": "yes" if repository.is_changed(str(file)) else "no"}
