"""Stage screen: one candidate of the selection of layers, on held-out training images.

writes  results/{study}/{dataset}/{model}/selection/{defence}/{seed}.csv  accuracy under the
        selection's attack, with the layers that the defence is applied to

The test images are not used here: results on them would be biased by the selection.
"""

from pipeline.results import rows
from pipeline.run import load
from pipeline.run.job import Job
from pipeline.stages._held_out import under_attack
from robustinfo.core.measurement import fraction

JOBS = {"setting": "selection.settings", "defence": "selection.compared", "seed": "seeds"}
READS = ["data", "model"]
WRITES = {"screened": "{dataset}/{model}/selection/{defence}/{seed}.csv"}
PARAMS = {
    "dataset": "datasets.{dataset}",
    "model": "models.{model}",
    "defence": "defences.{defence}",
    "training_images": "training_images",
    "validation_share": "validation_share",
    "attack": "attacks.{selection[attack]}",
}
DEVICE = "gpu"


def run(job: Job) -> None:
    """Attack the held-out images."""
    _, held_out = load.training_and_validation(job)
    _, resists = under_attack(job, job.file("model"), held_out)
    accuracy = fraction("attack_accuracy", resists)
    accuracy = accuracy._replace(layer="+".join(job.params["defence"].get("layers", [])))
    rows.write(job.writes["screened"], rows.from_measurements("select", [accuracy]))
