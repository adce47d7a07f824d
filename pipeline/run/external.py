"""Networks that a study did not train: what is recorded of one, and how it is built again.

The stage adopt writes, in place of a checkpoint, a sealed file that names the source and the
sha256 of the network that it gave. Every job builds the network from its source again, and one
that is no longer the same is an error.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from pipeline.results import sealed_text
from pipeline.run.device import describe
from pipeline.run.job import Job
from pipeline.run.observed import Observed
from pipeline.study import external
from robustinfo.core.errors import UserError
from robustinfo.core.sealed import seal, unseal
from robustinfo.core.settings import Entry
from robustinfo.evaluation import sources

SHA256 = "sha256"  # the one tensor of the file: 32 bytes
SOURCE, NOTES = "source", "notes"  # its metadata


def record(job: Job) -> None:
    """Build the network, and record what it is. Raises UserError if it does not fit the data."""
    entry = job.params["defence"]
    observed = _observed(job, entry)
    notes = observed.guard.notes
    print("\n".join(notes))
    digest = torch.tensor([*bytes.fromhex(observed.guard.sha256)], dtype=torch.uint8)
    about = {SOURCE: json.dumps(entry), NOTES: json.dumps(notes)} | describe(job.device)
    seal(job.writes["model"], {SHA256: digest}, about)


def network_and_term(
    job: Job, entry: Entry, recorded: Path
) -> tuple[Observed, Callable[..., tuple] | None]:
    """The recorded network, on the job's device, and its checkpoint's term for adaptive attacks.

    Raises UserError, naming the source, if the network is not the one that was recorded.
    """
    tensors, about = unseal(recorded)
    if SHA256 not in tensors or json.loads(about[SOURCE]) != entry:
        raise UserError(f"{recorded} is of another network than {entry}; delete it and run again")
    observed = _observed(job, entry)
    guard = observed.guard
    before, now = bytes(tensors[SHA256].tolist()).hex(), guard.sha256
    if now != before:
        raise UserError(
            f"{entry[external.NETWORK]} is not the network that {recorded} records: its sha256 was "
            f"{before[:12]} and is {now[:12]}; bring the old one back, or delete {recorded} and "
            "run again, which judges the new one"
        )
    return observed, guard.attack_term()


def _observed(job: Job, entry: Entry) -> Observed:
    """The network from its source, for the images of the job's data set."""
    manifest = sealed_text.read_json(job.file("data"))
    options: dict[str, Any] = {name: entry[name] for name in external.OPTIONS if name in entry}
    text = entry[external.NETWORK]
    guard = sources.model(
        text,
        shape=tuple(manifest["splits"]["train"]["shape"]),
        classes=len(manifest["classes"]),
        device=job.device,
        **options,
    )
    if guard.answers_only:
        raise UserError(
            f"{text} gives answers and no gradients, which a study's attacks follow; judge it by "
            "itself: robustinfo judge"
        )
    return Observed(guard, text, *external.points(entry)[:2]).eval()
