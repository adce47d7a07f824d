"""One job: the names of its experiment, the parameters it may read, its files, seed and device."""

from functools import cached_property
from pathlib import Path
from typing import Any

from pipeline.run import paths

ABOUT = ("defence", "attack", "learning", "detection")  # entries that one job is of


class Job:
    """One job: the names of its experiment, and the only parameters that it may read."""

    def __init__(  # noqa: D107
        self, stage: str, study: str, names: dict[str, str], params: dict
    ) -> None:
        self.stage, self.study, self.names, self.params = stage, study, names, params

    @property
    def is_absent(self) -> bool:
        """Whether what the job is about is null in its setting, or of a run without training."""
        if any(self.params.get(entry, ...) is None for entry in ABOUT):
            return True
        if "defence" not in self.names or self.stage in paths.TRAININGS:
            return False
        from pipeline.run.untrained import untrained

        return untrained(self)

    def path(self, template: str, **names: str) -> Path:
        """A path of ``paths`` for this job's names."""
        return Path(template.format(study=self.study, **(self.names | names)))

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
