"""Stage diagnose: robust accuracy of one run over all attacks, and diagnostics of the attacks.

writes  .../diagnostics.csv  clean accuracy; per image over all attacks of each norm: robust
        accuracy, images that one role of attack alone broke, successes of longer attacks,
        infeasible examples; every diagnostic at every level
        .../outcomes.csv  entry (clean, an attack, a norm or all of them), index in the test set,
        correct (1 or 0)
"""

from pipeline.results import rows
from pipeline.results.worst_case import per_image_table, worst_case
from pipeline.run import load
from pipeline.run.job import Job
from pipeline.run.networks import network
from robustinfo.core.batches import correct, to_float
from robustinfo.core.measurement import fraction
from robustinfo.core.registry import STORED
from robustinfo.core.sealed import unseal
from robustinfo.core.settings import Entry
from robustinfo.evaluation.evidence import run_diagnostics

JOBS = {"setting": "settings", "defence": "defences", "seed": "seeds"}
READS = ["data", "model", "examples"]
WRITES = {
    "diagnostics": "{dataset}/{model}/{defence}/{seed}/diagnostics.csv",
    "outcomes": "{dataset}/{model}/{defence}/{seed}/outcomes.csv",
}
PARAMS = {
    "dataset": "datasets.{dataset}",
    "model": "models.{model}",
    "defence": "defences.{defence}",
    "evaluation_images": "evaluation_images",
    "attacks": "attacks",
    "threat": "threat",
    "diagnostics": "diagnostics",
}
DEVICE = "gpu"


def run(job: Job) -> None:
    """Combine the stored examples per image, then run every diagnostic on the test images."""
    images, labels = load.test_images(job)
    x, y = to_float(images, job.device), labels.to(job.device)
    model = network(job, job.params["defence"], job.file("model"))
    stored = {file.names["attack"]: unseal(file.path)[0] for file in job.files("examples")}
    attacks, threat = job.params["attacks"], job.params["threat"]
    combined = worst_case(model, x, y, stored, attacks, threat, generator=job.generator)

    def stored_examples(entry: Entry) -> dict:
        by_key = {}
        for key in STORED:
            if key in entry:
                examples = stored[entry[key]].items()
                by_key[key] = {name: tensor.to(job.device) for name, tensor in examples}
        return by_key

    measurements = [fraction("accuracy", correct(model, x, y))._replace(entry="clean")]
    measurements += combined.measurements
    measurements += run_diagnostics(
        model,
        x,
        y,
        job.params["diagnostics"],
        resisting=combined.resisting,
        generator=job.generator,
        extra=stored_examples,
    )
    rows.write(
        job.writes["diagnostics"], rows.from_measurements("diagnose", measurements, n=len(y))
    )
    rows.write_table(job.writes["outcomes"], per_image_table(combined.correct))
