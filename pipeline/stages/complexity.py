"""Stage complexity: complexity of the clean images, and of the adversarial ones made from them.

writes  .../complexities.csv  per complexity: the mean over all clean test images, whatever
        ``evaluation_images`` says (input clean), and per attack, over its successes: their mean,
        the mean of the same images clean (clean_mean), and the complexity as a detector: ``auc``,
        and ``true_positive_rate`` at a false positive rate (the level); adversarial is the higher

Adversarial images are rounded to 8 bits, and only those that still succeed then are measured. Of
texts, all words that an attack altered are measured together: see text_complexity.py.
"""

from collections.abc import Callable, Iterable, Iterator

from torch import Tensor

from pipeline.results import rows, text_complexity
from pipeline.results.text_complexity import Examples
from pipeline.run import load
from pipeline.run.job import Job
from pipeline.stages._compare_complexities import compare_complexities, measures_of
from pipeline.study.quantities import FALSE_POSITIVE_RATES
from robustinfo.core.measurement import Measurement, mean
from robustinfo.core.sealed import unseal
from robustinfo.distortions.eight_bit import to_bytes
from robustinfo.maths.detection import true_positive_rate

JOBS = {"setting": "settings", "defence": "defences", "seed": "seeds"}
READS = ["data", "model", "examples"]
WRITES = {"complexities": "{dataset}/{model}/{defence}/{seed}/complexities.csv"}
PARAMS = {
    "dataset": "datasets.{dataset}",
    "evaluation_images": "evaluation_images",
    "complexities": "complexities",
}
NEEDS = "complexities"
DEVICE = "cpu"


def run(job: Job) -> None:
    """Measure all clean images once, and every attack's successes."""
    data = load.split(job, "test")
    measures = measures_of(job)
    attacks = ((file.names["attack"], unseal(file.path)[0]) for file in job.files("examples"))
    if data.vocabulary:
        inputs, _ = load.first_images(data, job.params["evaluation_images"])
        measurements = text_complexity.measure_altered_words(
            measures, inputs, attacks, data.vocabulary
        )
    else:
        measurements = iter(_of_images(measures, data.images, attacks))
    rows.write(job.writes["complexities"], rows.from_measurements("complexity", measurements))


def _of_images(
    measures: dict[str, Callable], images: Tensor, attacks: Iterable[tuple[str, Examples]]
) -> list[Measurement]:
    """Measurements of images (n, c, h, w) uint8, of which the attacked are the first."""
    clean = {name: measure(images) for name, measure in measures.items()}
    measurements = [
        mean("mean", values)._replace(entry=name, input="clean") for name, values in clean.items()
    ]
    for attack, examples in attacks:
        success = examples["success_8bit"].nonzero().squeeze(1)
        if not len(success):
            continue
        adversarial = to_bytes(examples["x_adv"][success])
        for name, measure in measures.items():
            values, before = measure(adversarial), clean[name][success]
            compared = [*compare_complexities(values, before), *_rates(values, before)]
            measurements += [one._replace(entry=name, input=attack) for one in compared]
    return measurements


def _rates(values: Tensor, clean: Tensor) -> Iterator[Measurement]:
    if len(values) < 2:
        return
    for level in FALSE_POSITIVE_RATES:
        # Not a plain fraction of images: its threshold is estimated, too.
        rate = true_positive_rate(values, clean, level)
        yield Measurement("true_positive_rate", rate, n=len(values), level=level)
