"""The network of a run, trained in the study or elsewhere."""

from collections.abc import Callable
from importlib import import_module
from pathlib import Path

from torch import Tensor

from pipeline.run import load
from pipeline.run.job import Job
from pipeline.study.external import is_external
from robustinfo.core import checkpoint
from robustinfo.core.settings import Entry
from robustinfo.evaluation.attack_term import attack_term
from robustinfo.models._network import Network

Term = Callable[..., tuple[Tensor, Tensor]]
READER = "pipeline.run.external"  # by name: the code of a job that has no such network is without


def network(job: Job, defence: Entry, file: Path) -> Network:
    """The network of the file ``model`` of a run, on the job's device, in eval mode."""
    return network_and_term(job, defence, file)[0]


def network_and_term(job: Job, defence: Entry, file: Path) -> tuple[Network, Term | None]:
    """The network, and the loss term of its defence for an adaptive attack (None: none)."""
    if is_external(defence):
        return import_module(READER).network_and_term(job, defence, file)
    loaded = load.trained_checkpoint(job, file)
    model = checkpoint.network(loaded, job.device)
    return model, attack_term(loaded, model)  # type: ignore[return-value]  # of models/
