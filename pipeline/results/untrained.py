"""Networks that were not trained, since no layer was selected for their defence.

Their files exist and are empty, and so are all files made from them; tables and verdicts say so.
"""

import shutil
from collections.abc import Iterable
from pathlib import Path

from pipeline.results import rows
from robustinfo.core.files import atomic_write, disk_errors
from robustinfo.core.sealed import is_empty, seal

UNTRAINED = "not trained: no layer was selected"


def is_untrained(model: Path) -> bool:
    """Whether a checkpoint exists and is empty."""
    return model.is_file() and is_empty(model)


def leave_empty(files: Iterable[Path]) -> None:
    """Write every file without content."""
    for path in files:
        if path.suffix == ".safetensors":
            seal(path, {}, {})
        elif path.suffix == ".csv":
            rows.write(path, [])
        elif not path.suffix:
            with disk_errors(path):
                shutil.rmtree(path, ignore_errors=True)  # of an earlier training
                path.mkdir(parents=True)
        else:
            with atomic_write(path) as partial:
                partial.write_bytes(b"")
