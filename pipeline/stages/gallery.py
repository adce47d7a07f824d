"""Stage gallery: what the strongest iterated attack made of a few test images, per defence.

writes  results/{study}/gallery/{dataset}/{model}.csv  defence, attack, index (in the test set),
                                                       label, before, after, success
        results/{study}/gallery/{dataset}/{model}.png  the images

For texts, and where there is no threat model, both files are there and hold nothing. The attack is
the one of the threat model that leaves the least accuracy, in the mean over the defences. The
images are the first ones, each of another class, that it turned for most defences: a gallery shows
what an attack does, not how often.
"""

import pandas as pd
import torch
from torch import Tensor

from pipeline.figures import gallery
from pipeline.figures._saving import save
from pipeline.results import rows, sealed_text
from pipeline.results.untrained import is_untrained
from pipeline.results.worst_case import within
from pipeline.run import load
from pipeline.run.job import Job
from robustinfo.core import registry
from robustinfo.core.batches import to_float
from robustinfo.core.files import atomic_write
from robustinfo.core.sealed import unseal

JOBS = {"setting": "settings"}
READS = [
    "data",
    ("model", "model", {"seed": "{seeds[0]}"}),
    ("attacked", "attacked", {"seed": "{seeds[0]}"}),
    ("examples", "examples", {"seed": "{seeds[0]}"}),
]
WRITES = {
    "gallery": "gallery/{dataset}/{model}.csv",
    "gallery_picture": "gallery/{dataset}/{model}.png",
}
PARAMS = {
    "dataset": "datasets.{dataset}",
    "model": "models.{model}",
    "attacks": "attacks",
    "threat": "threat",
    "evaluation_images": "evaluation_images",
}
DEVICE = "gpu"

MOST = 4  # images
NAMED = ["label", "before", "after"]
COLUMNS = ["defence", "attack", "index", *NAMED, "success"]


def run(job: Job) -> None:
    """Choose the attack and the images, ask every network for its answers, draw."""
    attack = strongest(job)
    if attack is None or registry.reads("datasets", job.params["dataset"]) == "texts":
        rows.write_table(job.writes["gallery"], pd.DataFrame(columns=COLUMNS))
        with atomic_write(job.writes["gallery_picture"]) as partial:
            partial.write_bytes(b"")
        return
    images, labels = load.test_images(job)
    made = {
        defence: unseal(job.file("examples", defence=defence, attack=attack))[0]
        for defence in _trained(job)
    }
    index = chosen(torch.stack([examples["success"] for examples in made.values()]), labels)
    shown = {
        defence: {name: examples[name][index] for name in ("x_adv", "success")}
        for defence, examples in made.items()
    }
    x = to_float(images[index])
    about = {"attack": attack, "index": index, "label": labels[index]}
    tables = [_answered(job, defence, x, one) for defence, one in shown.items()]
    table = pd.concat([own.assign(**about) for own in tables])[COLUMNS]
    classes = sealed_text.read_json(job.file("data"))["classes"]
    table[NAMED] = table[NAMED].map(classes.__getitem__)
    rows.write_table(job.writes["gallery"], table)
    x_adv = {defence: one["x_adv"] for defence, one in shown.items()}
    save(gallery.draw(table, x, x_adv), job.writes["gallery_picture"])


def strongest(job: Job) -> str | None:
    """The attack that leaves the least accuracy: of the iterated that count; of all, without one.

    None without a threat model.
    """
    counting = within(job.params["attacks"], job.params["threat"])
    iterated = [name for name, one in counting.items() if one.role == "iterated"]
    return min(iterated or counting, key=lambda name: _left(job, name), default=None)


def chosen(success: Tensor, labels: Tensor) -> Tensor:
    """success: (defences, n) bool. labels: (n,). Returns ``MOST`` indices, or fewer."""
    order = success.sum(0).argsort(descending=True, stable=True).tolist()
    first: dict[int, int] = {}  # of every class
    for index in order:
        first.setdefault(int(labels[index]), index)
    return torch.tensor([*first.values()][:MOST])


def _left(job: Job, attack: str) -> float:
    """The accuracy that an attack leaves, in the mean over the defences."""
    tables = [rows.read(job.file("attacked", defence=one, attack=attack)) for one in _trained(job)]
    found = pd.concat(tables)
    return found[found.quantity == "accuracy"].value.mean()


def _answered(job: Job, defence: str, x: Tensor, shown: dict[str, Tensor]) -> pd.DataFrame:
    """The classes that a defence's network finds most likely, before and after the attack."""
    model = load.trained(job, job.file("model", defence=defence))
    with torch.no_grad():
        before, after = (model(one.to(job.device)).argmax(1).cpu() for one in (x, shown["x_adv"]))
    found = {"before": before, "after": after, "success": shown["success"]}
    return pd.DataFrame({"defence": defence, **found})


def _trained(job: Job) -> list[str]:
    """The defences without those for which no layer was selected."""
    attacked = dict.fromkeys(one.names["defence"] for one in job.files("examples"))
    return [one for one in attacked if not is_untrained(job.file("model", defence=one))]
