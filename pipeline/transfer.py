"""Stage transfer: what was made against another network, the proxy, tried on this one.

reads   .../model.safetensors, .../attacks/*.safetensors of this run and of the proxy's, with the
        same seed; results/{study}/{dataset}/data.json
writes  .../transferred.csv  per attack (input: the proxy): accuracy and success rate of its stored
        examples here; over all attacks with an epsilon, transferred ones included (entry attacks):
        robust accuracy, and what alone broke images
        .../transferred_outcomes.csv  index in the test set, stands: as of the stage diagnose

Nothing is attacked again. Of an image on which an attack failed, what is stored is where it ended,
if the attack says so, else the clean image: the weaker the attack on the proxy, the less transfers.
A defence that only hides its gradient loses more to such examples than to its own.
"""

from torch import Tensor

from pipeline import load, paths, rows
from pipeline.combined import by_image, counts, fractions, threat
from pipeline.stage import Job, main
from robustinfo.batches import correct, floats
from robustinfo.sealed import unseal


def run(job: Job) -> None:
    """Try the proxy's examples of every attack."""
    (proxy,) = (
        one["proxy"] for one in job.params["transfers"] if one["defence"] == job.names["defence"]
    )
    images, labels = load.test_images(job)
    x, y = floats(images, job.device), labels.to(job.device)
    model = load.trained(job, job.path(paths.MODEL))
    right = correct(model, x, y)
    found, others = [], {}
    for name, entry in job.params["attacks"].items():
        examples, _ = unseal(job.path(paths.EXAMPLES, attack=name, defence=proxy))
        turned = right & ~correct(model, examples["x_adv"].to(job.device), y)
        found += _rows(name, proxy, right, turned)
        made = threat(entry)._replace(role="black_box")
        if counts(made, job.params["threat"]):
            others[f"{name} from {proxy}"] = (turned.cpu(), made)
    combined, stands = fractions(job, x.cpu(), others)
    for quantity, (value, n) in combined.items():
        row = {"entry": "attacks", "quantity": quantity, "value": value, "n": n}
        found.append({"stage": "transfer"} | row)
    rows.write(job.path(paths.TRANSFERRED), found)
    rows.write_table(job.path(paths.AFTER_TRANSFER), by_image(stands))


def _rows(attack: str, proxy: str, right: Tensor, turned: Tensor) -> list[dict]:
    own = {"stage": "transfer", "entry": attack, "input": proxy}
    n, attacked = len(right), int(right.sum())
    accuracy = {"quantity": "accuracy", "value": int((right & ~turned).sum()) / n, "n": n}
    rate = int(turned.sum()) / attacked if attacked else float("nan")
    success = {"quantity": "attack_success_rate", "value": rate, "n": attacked}
    return [own | accuracy, own | success]


if __name__ == "__main__":
    main(run, "transfer")
