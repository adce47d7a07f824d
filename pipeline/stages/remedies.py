"""Stage remedies: the attacks that the failed checks of a run call for, on what is still robust.

writes  .../remedied.csv           per norm: accuracy after remedies, and the fraction of all images
                                   that each remedy broke, ``broken_by_NAME``; empty where it could
                                   not be made. Without a failed check there are no rows
        .../remedied_outcomes.csv  norm, index in the test set, correct (1 or 0), and the remedy
                                   that broke the image, if one did

They are those of ``robustinfo judge`` (evaluation/remedies). Verdict and robust accuracy stay what
they were: the first diagnosis, which says whether they can be believed.
"""

from collections.abc import Iterator
from math import prod

import pandas as pd
import torch

from pipeline.results import rows
from pipeline.results.worst_case import attacks_in_scope
from pipeline.run import load
from pipeline.run.job import Job
from pipeline.stages._attack_examples import network_and_term
from robustinfo.attacks._gradient_safe import GradientSafe
from robustinfo.core.batches import memory_batch
from robustinfo.core.measurement import Measurement, fraction
from robustinfo.evaluation.attacks import attacks_of
from robustinfo.evaluation.batches import Batches
from robustinfo.evaluation.finished import Finished
from robustinfo.evaluation.progress import Tally
from robustinfo.evaluation.remedies._after import AfterRemedies
from robustinfo.evaluation.remedies._mounting import after_remedies, called_for
from robustinfo.evaluation.task import Task
from robustinfo.evaluation.threats import Ball, threat_models

JOBS = {"setting": "settings", "defence": "defences", "seed": "seeds"}
READS = [  # type: ignore[var-annotated]
    "data",
    "model",
    "checks",
    "outcomes",
    ("outcomes", "transferred_outcomes", {}),
]
WRITES = {
    "remedied": "{dataset}/{model}/{defence}/{seed}/remedied.csv",
    "remedied_outcomes": "{dataset}/{model}/{defence}/{seed}/remedied_outcomes.csv",
}
PARAMS = {
    "dataset": "datasets.{dataset}",
    "model": "models.{model}",
    "defence": "defences.{defence}",
    "evaluation_images": "evaluation_images",
    "attacks": "attacks",
    "threat": "threat",
}
FILES = ["src/robustinfo/evaluation/remedies/*.py"]  # which it imports by name
DEVICE = "gpu"

COLUMNS = ["norm", "index", "correct", "remedy"]


def run(job: Job) -> None:
    """Make the remedies of every norm in which a check failed."""
    in_scope = attacks_in_scope(job.params["attacks"], job.params["threat"])
    measurements, by_image = list[Measurement](), [pd.DataFrame(columns=COLUMNS)]
    for norm, epsilon in threat_models(in_scope).items():
        if called := called_for(_failed(job, norm)):
            names = [name for name, one in in_scope.items() if one.norm == norm]
            ball = Ball(norm=norm, epsilon=epsilon)  # type: ignore[arg-type]  # a norm of threats
            after = _after(job, ball, names, called)
            measurements += _measured(after, norm)
            by_image.append(_outcomes(after, norm))
            print(f"{norm}: after {', '.join(called)}, {after.accuracy:.1%} is left")
    rows.write(job.writes["remedied"], rows.from_measurements("remedies", measurements))
    rows.write_table(job.writes["remedied_outcomes"], pd.concat(by_image, ignore_index=True))


def _failed(job: Job, norm: str) -> list[str]:
    """The checks that the run's defence surely fails in a norm, in their order."""
    checks = rows.read(job.file("checks"))
    own = job.names | {"norm": norm, "result": "failed"}
    for column in ("dataset", "model", "defence", "norm", "result"):
        checks = checks[checks[column] == own[column]]
    return checks.check.tolist()


def _after(
    job: Job, ball: Ball, names: list[str], called: dict[str, tuple[str, ...]]
) -> AfterRemedies:
    """names: of the attacks that belong to the threat model."""
    images, labels = load.test_images(job)
    model, term = network_and_term(job)
    *_, outcomes = job.files("outcomes")  # the last are after transfers, where there are any
    standing = rows.read(outcomes.path)
    correct = standing[standing.entry == ball.norm].sort_values("index").correct
    robust = torch.tensor(correct.to_numpy() == 1, device=job.device)
    attacks = attacks_of({name: job.params["attacks"][name] for name in names}, term=term)
    seed = int(job.names["seed"])
    network = GradientSafe(model).eval()
    task = Task(network, None, attacks, {}, ball, seed, Finished())
    source = Batches(images, labels, memory_batch(prod(images.shape[1:])), job.device)
    return after_remedies(task, source, called, robust, Tally(print, {}, 1.0))


def _measured(after: AfterRemedies, norm: str) -> Iterator[Measurement]:
    yield fraction("accuracy_after_remedies", after.robust)._replace(entry=norm)
    for name, one in after.remedies.items():
        broken = fraction(f"broken_by_{name}", one.broken)
        if one.not_made:
            print(f"{norm}: remedy {name} was not made: {one.not_made}")
            broken = broken._replace(value=float("nan"))
        yield broken._replace(entry=norm)


def _outcomes(after: AfterRemedies, norm: str) -> pd.DataFrame:
    table = pd.DataFrame({"norm": norm, "index": range(len(after.robust))})
    table = table.assign(correct=after.robust.int().numpy(), remedy="")
    for name, one in after.remedies.items():
        table.loc[one.broken.numpy(), "remedy"] = name
    return table[COLUMNS]
