"""A job: the names of its run, the parameters that it may read, its files, seed and device."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple


class File(NamedTuple):
    """A file that another job writes, and that job's names."""

    path: Path
    names: dict[str, str]


@dataclass
class Job:
    """Input of the program of a stage, by the stage's contract (contract.py)."""

    stage: str
    study: str  # its name
    names: dict[str, str]
    params: dict[str, Any]
    reads: dict[str, list[File]]  # by role
    writes: dict[str, Path]  # by artifact
    code: Callable[[], str]  # the digest of the code that it runs

    def files(self, role: str, **names: str) -> list[File]:
        """Files that it reads in a role, of the jobs with these names."""
        return [file for file in self.reads[role] if names.items() <= file.names.items()]

    def file(self, role: str, **names: str) -> Path:
        """The one file that it reads in a role, of the job with these names."""
        (file,) = self.files(role, **names)
        return file.path

    def paths(self, role: str) -> list[Path]:
        """Paths of all files that it reads in a role."""
        return [file.path for file in self.reads[role]]

    @cached_property
    def device(self) -> Any:  # noqa: ANN401 - torch is imported by stages that compute
        """The torch.device that is reserved for this job."""
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
