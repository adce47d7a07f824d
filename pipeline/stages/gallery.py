"""Stage gallery: examples of the strongest iterated attack on a few test images, per defence.

writes  results/{study}/gallery/{dataset}/{model}.csv  defence, attack, index (in the test set),
                                                       label, before, after, success
        results/{study}/gallery/{dataset}/{model}.png  the images; .pdf, too

For texts, and without a threat model, all files are empty. The attack is the one of the threat
model with the least accuracy, in the mean over the defences. The
images are the first ones, each of another class, that it turned for most defences: a gallery shows
how examples look, not how often an attack succeeds.
"""

import pandas as pd
import torch
from torch import Tensor

from pipeline.figures import gallery
from pipeline.results import rows, sealed_text
from pipeline.results.untrained import is_untrained
from pipeline.results.worst_case import attacks_in_scope
from pipeline.run import load
from pipeline.run.job import Job
from pipeline.run.networks import network
from robustinfo.core import registry
from robustinfo.core.batches import to_float
from robustinfo.core.files import atomic_write
from robustinfo.core.sealed import unseal
from robustinfo.evaluation.display.saving import save
from robustinfo.evaluation.threats import threat

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
    "gallery_print": "gallery/{dataset}/{model}.pdf",
}
PARAMS = {
    "dataset": "datasets.{dataset}",
    "model": "models.{model}",
    "defences": "defences",
    "attacks": "attacks",
    "threat": "threat",
    "evaluation_images": "evaluation_images",
}
DEVICE = "gpu"

MAX_IMAGES = 4  # images
NAMED = ["label", "before", "after"]
COLUMNS = ["defence", "attack", "index", *NAMED, "success"]


def run(job: Job) -> None:
    """Choose the attack and the images, predict with every network, draw."""
    attack = strongest_attack(job)
    if attack is None or registry.reads("datasets", job.params["dataset"]) == "texts":
        rows.write_table(job.writes["gallery"], pd.DataFrame(columns=COLUMNS))
        for picture in (job.writes["gallery_picture"], job.writes["gallery_print"]):
            with atomic_write(picture) as partial:
                partial.write_bytes(b"")
        return
    images, labels = load.test_images(job)
    examples_by_defence = {
        defence: unseal(job.file("examples", defence=defence, attack=attack))[0]
        for defence in _trained_defences(job)
    }
    index = choose_images(
        torch.stack([examples["success"] for examples in examples_by_defence.values()]), labels
    )
    shown = {
        defence: {name: examples[name][index] for name in ("x_adv", "success")}
        for defence, examples in examples_by_defence.items()
    }
    x = to_float(images[index])
    columns = {"attack": attack, "index": index, "label": labels[index]}
    tables = [_predictions(job, defence, x, examples) for defence, examples in shown.items()]
    table = pd.concat([table_of_defence.assign(**columns) for table_of_defence in tables])[COLUMNS]
    classes = sealed_text.read_json(job.file("data"))["classes"]
    table[NAMED] = table[NAMED].map(classes.__getitem__)
    rows.write_table(job.writes["gallery"], table)
    x_adv = {defence: examples["x_adv"] for defence, examples in shown.items()}
    own = threat(job.params["attacks"][attack])
    drawn = gallery.draw(table, x, x_adv, own.norm, own.epsilon)  # type: ignore[arg-type]
    save(drawn, job.writes["gallery_picture"], job.writes["gallery_print"])


def strongest_attack(job: Job) -> str | None:
    """Attack with the least accuracy: of the iterated ones within the threat model, else of all.

    None without a threat model.
    """
    in_scope = attacks_in_scope(job.params["attacks"], job.params["threat"])
    iterated = [name for name, threat in in_scope.items() if threat.role == "iterated"]
    return min(iterated or in_scope, key=lambda name: _accuracy_under(job, name), default=None)


def choose_images(success: Tensor, labels: Tensor) -> Tensor:
    """At most ``MAX_IMAGES`` indices. success: (defences, n) bool. labels: (n,)."""
    order = success.sum(0).argsort(descending=True, stable=True).tolist()
    first_of_class: dict[int, int] = {}
    for index in order:
        first_of_class.setdefault(int(labels[index]), index)
    return torch.tensor([*first_of_class.values()][:MAX_IMAGES])


def _accuracy_under(job: Job, attack: str) -> float:
    """Accuracy under an attack, in the mean over the defences."""
    tables = [
        rows.read(job.file("attacked", defence=defence, attack=attack))
        for defence in _trained_defences(job)
    ]
    table = pd.concat(tables)
    return table[table.quantity == "accuracy"].value.mean()


def _predictions(job: Job, defence: str, x: Tensor, shown: dict[str, Tensor]) -> pd.DataFrame:
    """Predicted classes of a defence's network before and after the attack, and the successes."""
    model = network(job, job.params["defences"][defence], job.file("model", defence=defence))
    with torch.no_grad():
        before, after = (
            model(images.to(job.device)).argmax(1).cpu() for images in (x, shown["x_adv"])
        )
    columns = {"before": before, "after": after, "success": shown["success"]}
    return pd.DataFrame({"defence": defence, **columns})


def _trained_defences(job: Job) -> list[str]:
    """Trained defences: not those for which no layer was selected."""
    attacked = dict.fromkeys(file.names["defence"] for file in job.files("examples"))
    return [name for name in attacked if not is_untrained(job.file("model", defence=name))]
