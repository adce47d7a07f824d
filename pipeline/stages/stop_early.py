"""Stage stop_early: the network of an earlier epoch of a training, chosen on held-out images.

Adversarial training overfits: its last network may resist attacks worse than one of its earlier
epochs did (Rice, Wong and Kolter 2020, Overfitting in adversarially robust deep learning,
arXiv 2002.11569). As there, the network is taken whose accuracy under PGD on held-out training
images is the highest; of several the first. Test images are not used.

It trains nothing: it reads the snapshots of the defence ``of``. It writes
    model.safetensors  the chosen snapshot; its metadata say of which epoch, and of how many
    snapshots  that one snapshot, for measures
    history.csv  accuracy of the held-out images, clean and under the attack, by epoch; and
                 ``chosen_epoch``

Known bias: the accuracy at the chosen epoch is the highest of several, and so too high; the test
images tell how much is left of it.
"""

import shutil
from pathlib import Path

from pipeline.results import rows
from pipeline.run import load
from pipeline.run.job import Job
from pipeline.run.progress import with_progress
from pipeline.stages._held_out import under_attack
from pipeline.stages._training import CHECKPOINT
from robustinfo.core import checkpoint
from robustinfo.core.files import atomic_write, disk_errors
from robustinfo.core.measurement import exact, fraction
from robustinfo.evaluation.sources.checkpoint import CHOSEN_EPOCH

JOBS = {"setting": "settings", "stopped": "stop_early", "seed": "seeds"}
READS = ["data", ("trained", "snapshots", {"defence": "{of}"})]
WRITES = CHECKPOINT
PARAMS = {
    "dataset": "datasets.{dataset}",
    "model": "models.{model}",
    "defence": "defences.{defence}",
    "training_images": "training_images",
    "validation_share": "validation_share",
    "stop_early": "stop_early",
    "attack": "attacks.{attack}",
}
DEVICE = "gpu"


def run(job: Job) -> None:
    """Attack the held-out images at every snapshot, and keep the most robust one."""
    asked_for = (one for one in job.params["stop_early"] if one["defence"] == job.names["defence"])
    attack = next(asked_for)["attack"]
    _, held_out = load.training_and_validation(job)
    measured, robust = [], {}
    snapshots = _snapshots(job.file("trained"))
    for epoch, file in with_progress(snapshots.items(), len(snapshots), "snapshot"):
        clean_correct, resists = under_attack(job, file, held_out)
        robust[epoch] = int(resists.sum())
        for name, is_correct in (("clean", clean_correct), (attack, resists)):
            measured.append(fraction("accuracy", is_correct)._replace(input=name, epoch=epoch))
    chosen = choose(robust)
    measured.append(exact(CHOSEN_EPOCH, chosen, n=len(held_out.labels))._replace(input=attack))
    count = f"{len(snapshots)} snapshots of {max(snapshots)} epochs"
    why = f"by accuracy under {attack} of {len(held_out.labels)} held-out images"
    print(f"epoch {chosen}, of {count}, {why}")
    rows.write(job.writes["history"], rows.from_measurements("stop_early", measured))
    _publish(job, snapshots[chosen], f"{chosen}, of {count}, {why}")


def choose(robust: dict[int, int]) -> int:
    """The epoch with most images that resist; of several, the first.

    robust: {epoch: images}, in the order of the epochs.
    """
    return max(robust, key=robust.__getitem__)


def _snapshots(folder: Path) -> dict[int, Path]:
    """{epoch: file} of every snapshot of a trained network; that of epoch 0 is not trained yet."""
    files = sorted(folder.glob("epoch_*.safetensors"))
    by_epoch = {int(file.stem.removeprefix("epoch_")): file for file in files}
    return {epoch: file for epoch, file in by_epoch.items() if epoch > 0}


def _publish(job: Job, snapshot: Path, chosen_epoch: str) -> None:
    folder = job.writes["snapshots"]
    with disk_errors(folder):
        shutil.rmtree(folder, ignore_errors=True)  # of another choice
    with atomic_write(folder / snapshot.name) as part:
        shutil.copyfile(snapshot, part)
    network = checkpoint.load(snapshot)
    about = network.trained_on | {CHOSEN_EPOCH: chosen_epoch}
    checkpoint.save(job.writes["model"], network._replace(trained_on=about))
