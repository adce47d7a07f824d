"""Stage diagnose: whether the attacks on one run can be believed, and what they leave robust.

writes  .../diagnostics.csv  clean accuracy; per image over all attacks of each norm: robust
        accuracy, what one kind of attack broke alone, what longer attacks find, infeasible ones;
        every diagnostic at every level
        .../outcomes.csv  entry (clean, an attack, a norm or all of them), index in the test set,
        correct (1 or 0)
"""

from pipeline.results import rows
from pipeline.results.worst_case import by_image, combined
from pipeline.run import load
from pipeline.run.job import Job
from robustinfo.core.batches import correct, to_float
from robustinfo.core.measurement import fraction
from robustinfo.core.registry import STORED
from robustinfo.core.sealed import unseal
from robustinfo.core.settings import Entry
from robustinfo.judge.evidence import run_diagnostics

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
    model = load.trained(job, job.file("model"))
    stored = {one.names["attack"]: unseal(one.path)[0] for one in job.files("examples")}
    attacks, threat = job.params["attacks"], job.params["threat"]
    together = combined(model, x, y, stored, attacks, threat, generator=job.generator)

    def given(entry: Entry) -> dict:
        found = {}
        for key in STORED:
            if key in entry:
                examples = stored[entry[key]].items()
                found[key] = {name: tensor.to(job.device) for name, tensor in examples}
        return found

    found = [fraction("accuracy", correct(model, x, y))._replace(entry="clean")]
    found += together.measurements
    found += run_diagnostics(
        model,
        x,
        y,
        job.params["diagnostics"],
        resisting=together.resisting,
        generator=job.generator,
        extra=given,
    )
    rows.write(job.writes["diagnostics"], rows.of("diagnose", found, n=len(y)))
    rows.write_table(job.writes["outcomes"], by_image(together.correct))
