"""Stage complexity: how complex the clean images are, and the adversarial ones made from them.

writes  .../complexities.csv  per complexity: the mean over all clean test images, whatever
        ``evaluation_images`` says (input clean), and per attack, over its successes: their mean,
        the mean of the same images clean (clean_mean), and how well the complexity detects them:
        ``auc``, and ``true_positive_rate`` at a false one (the level); an adversarial image counts
        as the more complex

Adversarial images are rounded to 8 bits, and only those that still succeed then are measured. Of
texts, all words that an attack altered are measured together: see text_complexity.py.
"""

from collections.abc import Callable, Iterable, Iterator

from torch import Tensor

from pipeline.results import rows, text_complexity
from pipeline.results.text_complexity import Examples
from pipeline.run import load
from pipeline.run.job import Job
from pipeline.stages._compared import compared, measures_of
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
    attacks = ((one.names["attack"], unseal(one.path)[0]) for one in job.files("examples"))
    if data.vocabulary:
        inputs, _ = load.first(data, job.params["evaluation_images"])
        found = text_complexity.measured(measures, inputs, attacks, data.vocabulary)
    else:
        found = iter(_of_images(measures, data.images, attacks))
    rows.write(job.writes["complexities"], rows.of("complexity", found))


def _of_images(
    measures: dict[str, Callable], images: Tensor, attacks: Iterable[tuple[str, Examples]]
) -> list[Measurement]:
    """images: (n, c, h, w) uint8, of which the attacked are the first."""
    clean = {name: measure(images) for name, measure in measures.items()}
    found = [mean("mean", one)._replace(entry=name, input="clean") for name, one in clean.items()]
    for attack, examples in attacks:
        success = examples["success_8bit"].nonzero().squeeze(1)
        if not len(success):
            continue
        adversarial = to_bytes(examples["x_adv"][success])
        for name, measure in measures.items():
            values, before = measure(adversarial), clean[name][success]
            told = [*compared(values, before), *_rates(values, before)]
            found += [one._replace(entry=name, input=attack) for one in told]
    return found


def _rates(values: Tensor, clean: Tensor) -> Iterator[Measurement]:
    if len(values) < 2:
        return
    for level in FALSE_POSITIVE_RATES:
        # No fraction of images alone: its threshold is estimated, too.
        rate = true_positive_rate(values, clean, level)
        yield Measurement("true_positive_rate", rate, n=len(values), level=level)
