"""Stage transfer: adversarial examples of another network, the proxy, tried on this one.

writes  .../transferred.csv  per attack (input: the proxy): accuracy and success rate of its stored
        examples here; over all attacks of each norm, transferred ones included: the quantities of
        the stage diagnose
        .../transferred_outcomes.csv  as outcomes.csv of the stage diagnose

Nothing is attacked again, except by follow-up attacks. Of an image on which an attack failed, the
example is its last iterate, if the attack returns it, else the clean image: the weaker the attack
on the proxy, the fewer examples transfer. A defence with masked gradients loses more to transferred
examples than to its own.
"""

from torch import Tensor

from pipeline.results import rows
from pipeline.results.worst_case import (
    TransferredAttack,
    attacks_in_scope,
    per_image_table,
    worst_case,
)
from pipeline.run import load
from pipeline.run.job import Job
from pipeline.run.networks import network
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
    model = network(job, job.params["defence"], job.file("model"))
    clean_correct = correct(model, x, y)
    attacks, threat = job.params["attacks"], job.params["threat"]
    in_scope = attacks_in_scope(attacks, threat)
    measurements, others = [], {}
    for file in job.files("proxy"):
        name, proxy = file.names["attack"], file.names["defence"]
        x_adv = unseal(file.path)[0]["x_adv"].to(job.device)
        success = clean_correct & fooled(model, x_adv, y)
        measurements += _transfer_rates(name, proxy, clean_correct, success)
        if name in in_scope:
            others[f"{name} from {proxy}"] = TransferredAttack(
                in_scope[name].transferred(), success, x_adv
            )
    stored = {file.names["attack"]: unseal(file.path)[0] for file in job.files("examples")}
    combined = worst_case(model, x, y, stored, attacks, threat, others, generator=job.generator)
    measurements += combined.measurements
    rows.write(
        job.writes["transferred"], rows.from_measurements("transfer", measurements, n=len(y))
    )
    rows.write_table(job.writes["transferred_outcomes"], per_image_table(combined.correct))


def _transfer_rates(
    attack: str, proxy: str, clean_correct: Tensor, success: Tensor
) -> list[Measurement]:
    measurements = [
        fraction("accuracy", clean_correct & ~success),
        count_fraction("attack_success_rate", int(success.sum()), int(clean_correct.sum())),
    ]
    return [one._replace(entry=attack, input=proxy) for one in measurements]
