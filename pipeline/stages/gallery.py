"""Stage gallery: what the strongest iterated attack made of a few test images, per defence.

reads   results/{study}/{dataset}/data.json; of every defence, with the first seed,
        .../model.safetensors, .../attacks/*.csv and one attack's .../attacks/{attack}.safetensors
writes  results/{study}/gallery/{dataset}/{model}.csv  defence, attack, index (in the test set),
                                                       label, before, after, success
        results/{study}/gallery/{dataset}/{model}.png  the images

For texts, and where there is no threat model, both files are there and hold nothing. The attack is
the one of the threat model that leaves the least accuracy, in the mean over the defences. The
images are the first ones, each of another class, that it turned for most defences: a gallery shows
what an attack does, not how often.
"""

from pathlib import Path

import pandas as pd
import torch
from torch import Tensor

from pipeline.figures import gallery
from pipeline.figures.drawing import save
from pipeline.results import rows, sealed_text
from pipeline.results.combined import within
from pipeline.run import load, paths
from pipeline.run.job import Job
from pipeline.run.untrained import untrained
from robustinfo.core import registry
from robustinfo.core.batches import floats
from robustinfo.core.files import whole
from robustinfo.core.sealed import unseal

MOST = 4  # images
NAMED = ["label", "before", "after"]
COLUMNS = ["defence", "attack", "index", *NAMED, "success"]


def run(job: Job) -> None:
    """Choose the attack and the images, ask every network for its answers, draw."""
    attack = strongest(job)
    if attack is None or registry.reads("datasets", job.params["dataset"]) == "texts":
        rows.write_table(job.path(paths.GALLERY), pd.DataFrame(columns=COLUMNS))
        with whole(job.path(paths.GALLERY_PICTURE)) as partial:
            partial.write_bytes(b"")
        return
    images, labels = load.test_images(job)
    made = {
        defence: unseal(_of(job, paths.EXAMPLES, defence, attack=attack))[0]
        for defence in _trained(job)
    }
    index = chosen(torch.stack([examples["success"] for examples in made.values()]), labels)
    shown = {
        defence: {name: examples[name][index] for name in ("x_adv", "success")}
        for defence, examples in made.items()
    }
    x = floats(images[index])
    about = {"attack": attack, "index": index, "label": labels[index]}
    tables = [_answered(job, defence, x, one) for defence, one in shown.items()]
    table = pd.concat([own.assign(**about) for own in tables])[COLUMNS]
    classes = sealed_text.read_json(job.path(paths.DATA))["classes"]
    table[NAMED] = table[NAMED].map(classes.__getitem__)
    rows.write_table(job.path(paths.GALLERY), table)
    x_adv = {defence: one["x_adv"] for defence, one in shown.items()}
    save(gallery.draw(table, x, x_adv), job.path(paths.GALLERY_PICTURE))


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
        first.setdefault(labels[index].item(), index)
    return torch.tensor([*first.values()][:MOST])


def _left(job: Job, attack: str) -> float:
    """The accuracy that an attack leaves, in the mean over the defences."""
    tables = [rows.read(_of(job, paths.ATTACK, d, attack=attack)) for d in _trained(job)]
    found = pd.concat(tables)
    return found[found.quantity == "accuracy"].value.mean()


def _answered(job: Job, defence: str, x: Tensor, shown: dict[str, Tensor]) -> pd.DataFrame:
    """The classes that a defence's network finds most likely, before and after the attack."""
    model = load.trained(job, _of(job, paths.MODEL, defence))
    with torch.no_grad():
        before, after = (model(one.to(job.device)).argmax(1).cpu() for one in (x, shown["x_adv"]))
    found = {"before": before, "after": after, "success": shown["success"]}
    return pd.DataFrame({"defence": defence, **found})


def _trained(job: Job) -> list[str]:
    """The defences without those for which no layer was selected."""
    first = str(job.params["seeds"][0])
    return [one for one in job.params["defences"] if not untrained(job, defence=one, seed=first)]


def _of(job: Job, template: str, defence: str, **names: str) -> Path:
    return job.path(template, defence=defence, seed=job.params["seeds"][0], **names)
