"""Evaluations as evaluation.json has them: a real one of a small network, and kinds made of it."""

import json
from copy import deepcopy
from functools import cache

import torch
from torch import Generator, nn

import robustinfo
from robustinfo.attacks import pgd
from robustinfo.core.batches import to_float
from robustinfo.datasets import digits
from robustinfo.evaluation.checks import ADAPTIVE, HOLDS
from robustinfo.evaluation.report import Gallery

HOSTILE = (
    "<script>alert(1)</script>", "a & b <i>\"'", r"$\frac{1}{0}$ 100% #1_a^b~{c}\end{table}",
    "\u202eright to left", "zero\x00 and\nline", "half \ud800 pair", "漢字 🙂 ﷽", "x" * 300,
    "]]></style></svg>{{ 7 * 7 }}", " ",
)  # fmt: skip
EPSILON = 0.1
COMMAND = "robustinfo judge nets:small --data '{method: digits, size: 8}' --epsilon 0.1"
FAILED = {
    "at most": {"value": 0.31, "low": 0.21, "high": 0.43},
    "above": {"value": 0.0, "low": 0.0, "high": 0.06},
}


@cache
def network():
    """A small network on digits of 8 x 8, its test images in [0, 1], and their labels."""
    train, test = (
        digits.load(split, config=digits.Config(size=8), root=None) for split in ("train", "test")
    )
    torch.manual_seed(0)
    model = nn.Sequential(nn.Flatten(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))
    optimizer = torch.optim.Adam(model.parameters(), 0.01)
    x, y = to_float(torch.from_numpy(train.images)), torch.from_numpy(train.labels)
    for _ in range(60):
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(x), y).backward()
        optimizer.step()
    return model.eval(), to_float(torch.from_numpy(test.images)), torch.from_numpy(test.labels)


@cache
def _real():
    model, x, y = network()
    found = robustinfo.judge(
        model, x, y, epsilon=EPSILON, protocol="tiny", corruptions=True, device="cpu"
    )
    return json.loads(found.to_json()) | {"command": COMMAND}


@cache
def _black_box():
    model, x, y = network()

    def answers(images):
        with torch.no_grad():
            return model(torch.from_numpy(images)).numpy()

    found = robustinfo.judge(answers, x, y, epsilon=EPSILON, protocol="tiny", device="cpu")
    return json.loads(found.to_json())


def document(**changes):
    """The real evaluation, with other values where they are given."""
    return deepcopy(_real()) | changes


def judged(verdict, failed=(), **changes):
    """An evaluation with this verdict, because of these checks; all others that were run passed."""
    made = document(verdict=verdict, failed_classes=[verdict] if failed else [], **changes)
    for one in made["checks"]:
        run = one["value"] is not None
        one["result"] = "failed" if one["check"] in failed else "passed" if run else "not run"
        if one["check"] in failed:
            one |= FAILED[one["rule"]] | {"n": 64, "threshold": 0.05, "images_needed": None}
        if verdict == HOLDS and one["required"] and not run:
            one |= {"value": 1.0, "low": 1.0, "high": 1.0, "threshold": 1.0, "result": "passed"}
    results = [one["result"] for one in made["checks"]]
    made["counts"] = {name: results.count(name) for name in made["counts"]}
    return made


HALF = {"robust_accuracy": 0.53, "interval": [0.41, 0.65]}
REMEDIES = {
    "after_remedies": {"accuracy": 0.125, "interval": [0.06, 0.23], "votes": 101}
    | {"vote_error": 0.05, "seconds": 3.5}
    | {
        "remedies": {
            "bpda": {"called_by": ["flat_fraction"], "broken": [1, 2], "seconds": 3.5}
            | {"not_made": ""}
        }
    }
}
DISTANCES = {
    "found": [0.0, None, *(0.001 * number for number in range(1, 63))],
    "attacks": {
        "fmn": {"found_fraction": 0.98, "attack_distance_median": 0.03, "local_optimality": 0.999},
        "fab": {"found_fraction": 0.3, "attack_distance_median": None, "local_optimality": None},
    },
}
CERTIFIED = {"accuracy": 0.25, "interval": [0.16, 0.37], "by_intervals": 0.125}
CERTIFIED |= {"by_relaxation": 0.25, "n": 64, "no_bound": ""}
UNBOUNDED = {"accuracy": None, "no_bound": "round at front"}
NOTHING = {"robust_accuracy": 0.0, "interval": [0.0, 0.06]}
KINDS = {
    "as it is": document,
    "holds": lambda: judged(HOLDS, **HALF),
    "l2": lambda: document(threat={"norm": "l2", "epsilon": 0.5}),
    "broken": lambda: judged("broken", ["robust_accuracy"], **NOTHING),
    "masked": lambda: judged("masked", ["binarization_missed_fraction", "flat_fraction"], **HALF),
    "remedied": lambda: judged("masked", ["flat_fraction"], **HALF, **REMEDIES),
    "certified": lambda: judged(HOLDS, **HALF, certified=CERTIFIED),
    "unbounded": lambda: document(certified=UNBOUNDED),
    "contradicted": lambda: judged(
        "invalid", ["certified_broken_fraction"], **NOTHING, certified=CERTIFIED),
    "black box": lambda: deepcopy(_black_box()),
    "random": lambda: judged(ADAPTIVE, ["forwards_differ_fraction"]),
    "two classes": lambda: document(by_class=document()["by_class"][:2]),
    "1,000 classes": lambda: document(by_class=classes(1000)),
    "distances": lambda: document(distances=DISTANCES),
    "no curve": lambda: document(curve=[]),
    "nothing beside": lambda: document(calibration=None, corruptions=None),
    "hostile": lambda: hostile(),
}  # fmt: skip


def classes(count):
    """Lines of so many classes, whose names are long."""
    return [
        {"class": f"n{number:08d} sea snake, aquatic (water) reptile {number}", "n": 50}
        | {"clean_accuracy": 0.8, "robust_accuracy": (number * 37 % 50) / 50}
        | {"interval": [0.0, 1.0]}
        for number in range(count)
    ]


def hostile():
    """An evaluation whose names are meant to break pages, figures and LaTeX."""
    made, text = document(), "".join(HOSTILE)
    attacks = dict(zip(HOSTILE, made["attacks"].values(), strict=False))
    for attack in attacks.values():
        attack["method"], attack["settings"] = text, {text: text, "steps": 5}
    names = zip(HOSTILE, made["by_class"], strict=False)
    network = {"source": text, "sha256": None, "notes": [*HOSTILE]}
    checks = [one | {"meaning": text, "said_by": text} for one in made["checks"]]
    return made | {
        "attacks": attacks,
        "checks": checks,
        "by_class": [one | {"class": name} for name, one in names],
        "attacks_not_made": dict.fromkeys(HOSTILE, text),
        "model": network,
        "twin": network,
        "command": text,
        "device": text,
        "versions": {text: text},
        "data": made["data"] | {"root": text, "split": text},
    }


def gallery(count=4, epsilon=EPSILON):
    """Images of the network before and after PGD."""
    model, x, y = network()
    config = pgd.Config(norm="linf", epsilon=epsilon, step_size=epsilon / 4, steps=20)
    x, y = x[:100], y[:100]
    x_adv, success = pgd.perturb(model, x, y, config=config, generator=Generator().manual_seed(0))
    rows = success.nonzero().flatten()[:count]
    before, after = (model(images[rows]).argmax(1).tolist() for images in (x, x_adv))
    names = (list(map(str, labels)) for labels in (y[rows].tolist(), before, after))
    return Gallery(x[rows], x_adv[rows], *names, ["pgd"] * count)


def hostile_gallery():
    """A gallery of images whose names are meant to break pages and figures."""
    made, names = gallery(len(HOSTILE)), [*HOSTILE]
    return made._replace(labels=names, before=names, after=names[::-1], attack=names)
