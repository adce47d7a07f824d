"""Stage transfer: what was made against another network, the proxy, tried on this one.

writes  .../transferred.csv  per attack (input: the proxy): accuracy and success rate of its stored
        examples here; over all attacks of each norm, transferred ones included: what the stage
        diagnose says without them
        .../transferred_outcomes.csv  as outcomes.csv of the stage diagnose

Nothing is attacked again, but for what follows up. Of an image on which an attack failed, what is
stored is where it ended, if the attack says so, else the clean image: the weaker the attack on the
proxy, the less transfers. A defence that only hides its gradient loses more to such examples than
to its own.
"""

from torch import Tensor

from pipeline.results import rows
from pipeline.results.worst_case import Other, by_image, combined, within
from pipeline.run import load
from pipeline.run.job import Job
from robustinfo.attacks._success import fooled
from robustinfo.core.batches import correct, to_float
from robustinfo.core.measurement import Measurement, count_fraction, fraction
from robustinfo.core.sealed import unseal

JOBS = {"setting": "settings", "transfer": "transfers", "seed": "seeds"}
READS = ["data", "model", "examples", ("proxy", "examples", {"defence": "{proxy}"})]
WRITES = {
    "transferred": "{dataset}/{model}/{defence}/{seed}/transferred.csv",
    "transferred_outcomes": "{dataset}/{model}/{defence}/{seed}/transferred_outcomes.csv",
}
PARAMS = {
    "dataset": "datasets.{dataset}",
    "model": "models.{model}",
    "defence": "defences.{defence}",
    "evaluation_images": "evaluation_images",
    "attacks": "attacks",
    "threat": "threat",
}
DEVICE = "gpu"


def run(job: Job) -> None:
    """Try the proxy's examples of every attack."""
    images, labels = load.test_images(job)
    x, y = to_float(images, job.device), labels.to(job.device)
    model = load.trained(job, job.file("model"))
    right = correct(model, x, y)
    attacks, threat = job.params["attacks"], job.params["threat"]
    counting = within(attacks, threat)
    found, others = [], {}
    for file in job.files("proxy"):
        name, proxy = file.names["attack"], file.names["defence"]
        x_adv = unseal(file.path)[0]["x_adv"].to(job.device)
        turned = right & fooled(model, x_adv, y)
        found += _measured(name, proxy, right, turned)
        if name in counting:
            others[f"{name} from {proxy}"] = Other(counting[name].transferred(), turned, x_adv)
    stored = {one.names["attack"]: unseal(one.path)[0] for one in job.files("examples")}
    together = combined(model, x, y, stored, attacks, threat, others, generator=job.generator)
    found += together.measurements
    rows.write(job.writes["transferred"], rows.of("transfer", found, n=len(y)))
    rows.write_table(job.writes["transferred_outcomes"], by_image(together.correct))


def _measured(attack: str, proxy: str, right: Tensor, turned: Tensor) -> list[Measurement]:
    values = [
        fraction("accuracy", right & ~turned),
        count_fraction("attack_success_rate", int(turned.sum()), int(right.sum())),
    ]
    return [one._replace(entry=attack, input=proxy) for one in values]
