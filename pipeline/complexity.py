"""Stage complexity: how complex the clean images are, and the adversarial ones made from them.

reads   .../attacks/*.safetensors, results/{study}/{dataset}/data.json
writes  .../complexities.csv  per complexity: the mean over the clean images (input clean), and per
        attack, over its successes: their mean, the mean of the same images clean (clean_mean), and
        how well the complexity detects them: ``auc``, and ``true_positive_rate`` at a false one
        (the level); an adversarial image counts as the more complex

Adversarial images are rounded to 8 bits, and only those that still succeed then are measured. Of
texts, all words that an attack altered are measured together: see corpora.py.
"""

from collections.abc import Callable, Iterable, Iterator

from torch import Tensor

from pipeline import corpora, load, paths, rows
from pipeline.corpora import Examples
from pipeline.stage import Job, main
from robustinfo import catalogue
from robustinfo.distortions.eight_bit import to_bytes
from robustinfo.maths.detection import auc, true_positive_rate
from robustinfo.sealed import unseal

FALSE_POSITIVE_RATES = (0.01, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)


def run(job: Job) -> None:
    """Measure the clean images once, and every attack's successes."""
    data = load.split(job, "test")
    inputs, _ = load.first(data, job.params["evaluation_images"])
    measures = {
        name: catalogue.get("complexities", entry)
        for name, entry in job.params["complexities"].items()
    }
    attacks = (
        (name, unseal(job.path(paths.EXAMPLES, attack=name))[0]) for name in job.params["attacks"]
    )
    if data.vocabulary:
        found = corpora.measured(measures, inputs, attacks, data.vocabulary)
    else:
        found = _of_images(measures, inputs, attacks)
    rows.write(job.path(paths.COMPLEXITIES), found)


def _of_images(
    measures: dict[str, Callable], images: Tensor, attacks: Iterable[tuple[str, Examples]]
) -> list[dict]:
    clean = {name: measure(images) for name, measure in measures.items()}
    found = [_row("clean", name, "mean", values) for name, values in clean.items()]
    for attack, examples in attacks:
        success = examples["success_8bit"]
        if not success.any():
            continue
        adversarial = to_bytes(examples["x_adv"][success])
        for name, measure in measures.items():
            values, before = measure(adversarial), clean[name][success]
            found.append(_row(attack, name, "mean", values))
            found.append(_row(attack, name, "clean_mean", before))
            if len(values) > 1:
                found += _detection(attack, name, values, before)
    return found


def _row(source: str, entry: str, quantity: str, values: Tensor) -> dict:
    return {
        "stage": "complexity",
        "entry": entry,
        "input": source,
        "quantity": quantity,
        "value": values.double().mean().item(),
        "n": len(values),
    }


def _detection(attack: str, entry: str, values: Tensor, clean: Tensor) -> Iterator[dict]:
    own = {"stage": "complexity", "entry": entry, "input": attack, "n": len(values)}
    value, low, high = auc(values, clean)
    yield own | {"quantity": "auc", "value": value, "low": low, "high": high}
    for level in FALSE_POSITIVE_RATES:
        rate = true_positive_rate(values, clean, level)
        yield own | {"level": level, "quantity": "true_positive_rate", "value": rate}


if __name__ == "__main__":
    main(run, "complexity")
