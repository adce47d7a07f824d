"""One job: the names of its experiment, the parameters it may read, its files, seed and device."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple


class File(NamedTuple):
    """A file that other jobs write, and the names of the one that does."""

    path: Path
    names: dict[str, str]


@dataclass
class Job:
    """What the program of a stage is handed; its contract (contract.py) says what that is."""

    stage: str
    study: str  # its name
    names: dict[str, str]
    params: dict[str, Any]
    reads: dict[str, list[File]]  # by role
    writes: dict[str, Path]  # by artifact
    code: Callable[[], str]  # the digest of the code that it runs

    def files(self, role: str, **names: str) -> list[File]:
        """What it reads in a role, of the jobs that have these names."""
        return [one for one in self.reads[role] if names.items() <= one.names.items()]

    def file(self, role: str, **names: str) -> Path:
        """The one file that it reads in a role, of the job that has these names."""
        (found,) = self.files(role, **names)
        return found.path

    def paths(self, role: str) -> list[Path]:
        """All that it reads in a role."""
        return [one.path for one in self.reads[role]]

    @cached_property
    def device(self) -> Any:  # noqa: ANN401 - torch is imported by stages that compute
        """The torch.device that this job holds alone."""
        from pipeline.run.device import acquire

        device, self._lock = acquire()
        return device

    @cached_property
    def generator(self) -> Any:  # noqa: ANN401
        """The one source of randomness, on the device; also seeds torch's global generator."""
        import torch

        seed = int(self.names["seed"])
        torch.manual_seed(seed)  # weight initialisation and dropout draw from it
        return torch.Generator(self.device).manual_seed(seed)
