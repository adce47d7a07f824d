"""Stage complexity: how complex the clean images are, and the adversarial ones made from them.

reads   .../attacks/*.safetensors, results/{study}/{dataset}/data.json
writes  .../complexities.csv  per complexity: the mean over the clean images (input clean), and per
        attack the mean over its successes and, of the same images, the clean mean (clean_mean)

Adversarial images are rounded to 8 bits, and only those that still succeed then are measured.
"""

import torch

from pipeline import load, paths, rows
from pipeline.stage import Job, main
from robustinfo import catalogue
from robustinfo.distortions.eight_bit import to_bytes
from robustinfo.sealed import unseal


def run(job: Job) -> None:
    """Measure the clean images once, and every attack's successes."""
    images, _ = load.test_images(job)
    measures = {
        name: catalogue.get("complexities", entry)
        for name, entry in job.params["complexities"].items()
    }
    clean = {name: measure(images) for name, measure in measures.items()}
    found = [_row("clean", name, "mean", values) for name, values in clean.items()]
    for attack in job.params["attacks"]:
        examples, _ = unseal(job.path(paths.EXAMPLES, attack=attack))
        success = examples["success_8bit"]
        if not success.any():
            continue
        adversarial = to_bytes(examples["x_adv"][success])
        for name, measure in measures.items():
            found.append(_row(attack, name, "mean", measure(adversarial)))
            found.append(_row(attack, name, "clean_mean", clean[name][success]))
    rows.write(job.path(paths.COMPLEXITIES), found)


def _row(source: str, entry: str, quantity: str, values: torch.Tensor) -> dict:
    return {
        "stage": "complexity",
        "entry": entry,
        "input": source,
        "quantity": quantity,
        "value": values.double().mean().item(),
        "n": len(values),
    }


if __name__ == "__main__":
    main(run, "complexity")
