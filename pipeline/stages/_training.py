"""Training, shared by three stages: a network, a data set, a defence, a seed -> one checkpoint.

They write
    model.safetensors  the checkpoint: weights, architecture, the defence and its state, the device
    snapshots/epoch_0000.safetensors ...  the same before, during and after training
    history.csv  every loss term, their sum, the learning rate, validation accuracy

An interrupted training resumes from its last epoch, to the same bits: its state is in
.../.training/ (resuming.py), which is no output and is removed at the end.
"""

import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch

from pipeline.results import rows
from pipeline.run import load, resuming
from pipeline.run.device import describe
from pipeline.run.job import Job
from pipeline.run.progress import with_progress
from robustinfo.core import registry
from robustinfo.core.batches import EVALUATION_BATCH, batches, to_float
from robustinfo.core.checkpoint import Checkpoint, save
from robustinfo.core.errors import UserError
from robustinfo.core.files import atomic_write, disk_errors
from robustinfo.core.settings import Entry
from robustinfo.training import loop

CHECKPOINT = {
    "model": "{dataset}/{model}/{defence}/{seed}/model.safetensors",
    "snapshots": "{dataset}/{model}/{defence}/{seed}/snapshots",
    "history": "{dataset}/{model}/{defence}/{seed}/history.csv",
}
# Parameters of every training.
TRAINED = {
    "dataset": "datasets.{dataset}",
    "model": "models.{model}",
    "defence": "defences.{defence}",
    "training_images": "training_images",
    "validation_share": "validation_share",
}


def train(job: Job, entry: Entry, start: Path | None = None) -> None:
    """Train, or resume training, and move the result into place once it is complete.

    entry: the defence. start: checkpoint of the initial weights; None: random ones.
    """
    config = loop.Config(**job.params["training"])
    data, validation = (part.to(job.device) for part in load.training_and_validation(job))
    generator = job.generator  # seeds torch, too: before the weights are drawn
    model = load.untrained(job) if start is None else load.trained(job, start)
    loss_terms, defence_state = _objective(job, entry, model, data)
    finish = _finisher(entry, model, validation)

    make_checkpoint = partial(
        Checkpoint,
        **load.network_spec(job),
        defence=entry,
        state=defence_state,
        trained_on=describe(job.device),
    )
    work, training_identity = resuming.workspace(job), resuming.identity(job)
    state, snapshot_epochs = resuming.resume(work, training_identity)
    history = state.pop("history") if state else []
    same_steps = registry.hook("defences", entry, "SAME_STEPS")
    steps = loop.train(
        model,
        data,
        validation,
        loss_terms,
        config=config,
        generator=generator,
        state=state,
        same_steps=same_steps,
    )
    for epoch in with_progress(steps, config.epochs + 1 - len(history), "epoch"):
        history.append(epoch.record)
        if epoch.number % config.snapshot_every == 0 or epoch.number == config.epochs:
            save(resuming.snapshot(work, epoch.number), make_checkpoint(weights=model.state_dict()))
            snapshot_epochs.append(epoch.number)
        resuming.save_state(
            work, training_identity, epoch.state | {"history": history}, snapshot_epochs
        )
    finish()
    final_checkpoint = make_checkpoint(weights=model.state_dict())
    _publish(job, work, final_checkpoint, history, len(validation.labels))


def _objective(job: Job, entry: Entry, model: torch.nn.Module, data: loop.Images) -> tuple:
    """(loss terms of the defence with its state bound, that state)."""
    loss_terms = registry.get("defences", entry)
    prepare = registry.hook("defences", entry, "prepare")
    if prepare is None:
        return loss_terms, {}
    read_batches = partial(batches, *data, EVALUATION_BATCH, job.device)
    _, state = prepare(model, read_batches, config=registry.config("defences", entry))
    return partial(loss_terms, state=state), state


def _finisher(entry: Entry, model: torch.nn.Module, validation: loop.Images) -> Callable[[], None]:
    """Function that finishes the trained network on held-out images; without one, a no-op."""
    config = registry.config("defences", entry)
    finishes, finish = (registry.hook("defences", entry, hook) for hook in ("finishes", "finish"))
    if finish is None or not finishes(config):
        return lambda: None
    if not len(validation.labels):
        raise UserError(f"{entry['method']} needs held-out images; raise `validation_share`")
    return lambda: finish(
        model.eval(), to_float(validation.images), validation.labels, config=config
    )


def _publish(
    job: Job, work: Path, final_checkpoint: Checkpoint, history: list[dict], validation_images: int
) -> None:
    snapshots = job.writes["snapshots"]
    if snapshots.exists():
        with disk_errors(snapshots):
            shutil.rmtree(snapshots)
    for file in sorted((work / "snapshots").iterdir()):
        with atomic_write(snapshots / file.name) as part:
            shutil.copyfile(file, part)  # a copy: publishing may fail and run again
    rows.write(
        job.writes["history"],
        (
            {"stage": "train", "epoch": epoch, "quantity": name, "value": value}
            | ({"n": validation_images} if name.startswith("validation/") else {})
            for epoch, record in enumerate(history)
            for name, value in record.items()
        ),
    )
    save(job.writes["model"], final_checkpoint)
    resuming.discard(work)
