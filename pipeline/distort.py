"""Stage distort: accuracy of one trained network on distorted test images.

reads   .../model.safetensors, results/{study}/{dataset}/data.json
writes  .../distortions.csv  accuracy per distortion and level (the value that the entry sweeps)
"""

from pipeline import load, paths, rows
from pipeline.stage import Job, main
from robustinfo import catalogue
from robustinfo.batches import accuracy, floats


def run(job: Job) -> None:
    """Distort the test images by every entry at every level, and classify them."""
    images, labels = load.test_images(job)
    x, y = floats(images, job.device), labels.to(job.device)
    model = load.trained(job, job.path(paths.MODEL))
    found = []
    for name, entry in job.params["distortions"].items():
        for level, params in catalogue.sweep(entry):
            distort = catalogue.get("distortions", params)
            value = accuracy(model, distort(x, generator=job.generator), y)
            found.append(
                {
                    "stage": "distort",
                    "entry": name,
                    "level": "" if level is None else level,
                    "quantity": "accuracy",
                    "value": value,
                    "n": len(y),
                }
            )
    rows.write(job.path(paths.DISTORTIONS), found)


if __name__ == "__main__":
    main(run, "distort")
