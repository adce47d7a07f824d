"""Stage train_selected: a network trained from random weights, its defence on the selected layers.

Where no layer was selected it trains nothing and writes empty files (results/untrained.py).
"""

from pipeline.results import rows, untrained
from pipeline.results.selection import selected_layers
from pipeline.run.job import Job
from pipeline.stages._training import CHECKPOINT, TRAINED, train

JOBS = {"setting": "selection.settings", "defence": "train_selected", "seed": "seeds"}
READS = ["data", "selection"]
WRITES = CHECKPOINT
PARAMS = {**TRAINED, "training": "train_selected.{defence}"}
DEVICE = "gpu"


def run(job: Job) -> None:
    """Train the network, if there is a layer to defend."""
    chosen = selected_layers(rows.read(job.file("selection")))
    if chosen:
        return train(job, job.params["defence"] | {"layers": chosen})
    print(untrained.UNTRAINED)
    untrained.leave_empty(job.writes.values())
