"""Stage diagnose: whether the attacks on one run can be believed, and what they leave standing.

reads   .../model.safetensors, .../attacks/*.safetensors, results/{study}/{dataset}/data.json
writes  .../diagnostics.csv  clean accuracy; every diagnostic at every level; per image over all
        attacks: robust accuracy, what one kind of attack broke alone, infeasible ones
        .../outcomes.csv  index in the test set, stands (1: correct, whatever was tried, else 0)
"""

from torch import Tensor, nn

from pipeline import load, paths, rows
from pipeline.combined import by_image, fractions
from pipeline.stage import Job, main
from robustinfo import catalogue
from robustinfo.batches import accuracy, floats
from robustinfo.diagnostics._finding import Finding
from robustinfo.sealed import unseal


def run(job: Job) -> None:
    """Run every diagnostic on the test images, then combine the stored examples per image."""
    images, labels = load.test_images(job)
    x, y = floats(images, job.device), labels.to(job.device)
    model = load.trained(job, job.path(paths.MODEL))
    found = [_row("clean", None, Finding("accuracy", accuracy(model, x, y)))]
    for name, entry in job.params["diagnostics"].items():
        for level, params in catalogue.sweep(entry):
            found += [_row(name, level, one) for one in _diagnosed(job, model, x, y, params)]
    combined, stands = fractions(job, x.cpu())
    for quantity, (value, n) in combined.items():
        found.append(_row("attacks", None, Finding(quantity, value)) | {"n": n})
    counted = (row | {"n": len(y) if row["n"] is None else row["n"]} for row in found)
    rows.write(job.path(paths.DIAGNOSTICS), counted)
    rows.write_table(job.path(paths.OUTCOMES), by_image(stands))


def _diagnosed(job: Job, model: nn.Module, x: Tensor, y: Tensor, params: dict) -> list[Finding]:
    given = {}
    if "examples" in params:
        stored, _ = unseal(job.path(paths.EXAMPLES, attack=params["examples"]))
        given["examples"] = {name: tensor.to(job.device) for name, tensor in stored.items()}
    return catalogue.get("diagnostics", params)(model, x, y, generator=job.generator, **given)


def _row(entry: str, swept: float | None, found: Finding) -> dict:
    level = found.level if swept is None else swept
    own = found._asdict() | {"level": "" if level is None else level}
    return {"stage": "diagnose", "entry": entry} | own


if __name__ == "__main__":
    main(run, "diagnose")
