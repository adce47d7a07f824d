"""Evaluations as evaluation.json has them: a real one of a small network, and kinds made of it."""

from copy import deepcopy
from functools import cache

import torch
from torch import Generator, nn

from robustinfo.attacks import pgd
from robustinfo.core.batches import to_float
from robustinfo.datasets import digits
from robustinfo.evaluation import protocol
from robustinfo.evaluation.by_protocol import evaluate_by_protocol
from robustinfo.evaluation.checks import ADAPTIVE, HOLDS, NOT_ENOUGH
from robustinfo.evaluation.evaluate import FOLLOW_UP
from robustinfo.evaluation.protocol import Ball
from robustinfo.evaluation.report import Gallery
from robustinfo.evaluation.threats import threat
from robustinfo.maths.statistics import fraction_interval

HOSTILE = (
    "<script>alert(1)</script>", "a & b <i>\"'", r"$\frac{1}{0}$ 100% #1_a^b~{c}\end{table}",
    "\u202eright to left", "zero\x00 and\nline", "half \ud800 pair", "漢字 🙂 ﷽", "x" * 300,
    "]]></style></svg>{{ 7 * 7 }}", " ",
)  # fmt: skip
BALL = Ball(norm="linf", epsilon=0.1)
FAILED = {
    "at most": {"value": 0.31, "low": 0.21, "high": 0.43},
    "above": {"value": 0.0, "low": 0.0, "high": 0.06},
}
SIZE = protocol.BY_NAME["tiny"]


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


def measured(k, n):
    return {"interval": list(fraction_interval(k, n))}


@cache
def _real():
    model, x, y = network()
    y = y[: SIZE.images]
    generator = Generator().manual_seed(0)
    found = evaluate_by_protocol(
        SIZE, model, x, y, classes=10, ball=BALL, generator=generator, progress=lambda text: None
    )
    n, entries = found.n, protocol.attacks(SIZE, BALL)
    correct = model(x[:n]).argmax(1) == y
    robust = correct.clone()
    for broken in found.broken.values():
        robust[broken] = False
    assert robust.double().mean().item() == found.robust.value
    attacks = {}
    for name, leaves in found.accuracies.items():
        entry = entries[name].entry
        attacks[name] = {
            "method": entry["method"],
            "role": threat(entry).role,
            "settings": {key: value for key, value in entry.items() if key != "method"},
            "leaves": leaves,
            **measured(round(leaves * n), n),
            "broken": found.broken[name],
            "seconds": 0.25,
        }
    by_class = []
    for label in range(10):
        rows = y == label
        k, kept, right = int(rows.sum()), int(robust[rows].sum()), int(correct[rows].sum())
        about = {"class": str(label), "n": k, "clean_accuracy": right / k}
        by_class.append(about | {"robust_accuracy": kept / k} | measured(kept, k))
    curve = [
        {"epsilon": one.level, "accuracy": one.value, "n": one.n}
        | measured(round(one.value * one.n), one.n)
        for one in found.measurements
        if one.quantity == "attack_accuracy"
    ]
    counts = {str(label): int((y == label).sum()) for label in range(10)}
    verdict = found.verdict
    return {
        "robustinfo": "0.1.0",
        "date": "2026-11-30T18:00:00+00:00",
        "seconds": 12.5,
        "command": "robustinfo judge nets:small --data '{method: digits, size: 8}' --epsilon 0.1",
        "verdict": verdict.verdict,
        "failed_classes": verdict.failed_classes(),
        "counts": verdict.counts(),
        "threat": {"norm": BALL.norm, "epsilon": BALL.epsilon},
        "protocol": SIZE._asdict(),
        "seed": 0,
        "device": "cpu",
        "black_box": False,
        "model": {"source": "nets:small", "sha256": "5" * 64, "notes": ["frozen: 4 weights"]},
        "twin": None,
        "data": {"root": "digits-size-8", "split": "test", "classes": counts, "n": n}
        | {"sha256": "d" * 64, "order": "of the data set", "left_out": [], "notes": []},
        "versions": {"torch": "2.8.0", "numpy": "2.1.0"},
        "clean_accuracy": found.clean.value,
        "clean_interval": list(fraction_interval(int(correct.sum()), n)),
        "robust_accuracy": found.robust.value,
        **measured(int(robust.sum()), n),
        "n": n,
        "by_class": by_class,
        "attacks": attacks,
        "follow_up": {"broken": found.broken[FOLLOW_UP]},
        "attacks_not_made": found.not_made,
        "checks": [checked(one) for one in verdict.answers],
        "curve": curve,
    }


def checked(one):
    """A check as evaluation.json has it."""
    numbers = {name: getattr(one, name) for name in ("value", "low", "high", "threshold")}
    return {
        "check": one.check.name,
        **{key: None if value in (float("inf"), -float("inf")) else value
           for key, value in numbers.items()},
        "n": one.n,
        "rule": one.check.rule,
        "class": one.check.verdict,
        "result": one.result,
        "said_by": one.entry,
        "images_needed": one.images,
        "meaning": one.check.meaning,
        "required": one.check.required,
    }  # fmt: skip


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
NOTHING = {"robust_accuracy": 0.0, "interval": [0.0, 0.06]}
KINDS = {
    "as it is": document,
    "holds": lambda: judged(HOLDS, **HALF),
    "l2": lambda: document(threat={"norm": "l2", "epsilon": 0.5}),
    "broken": lambda: judged("broken", ["robust_accuracy"], **NOTHING),
    "masked": lambda: judged("masked", ["binarization_missed_fraction", "flat_fraction"], **HALF),
    "black box": lambda: document(verdict=NOT_ENOUGH, failed_classes=[], black_box=True),
    "random": lambda: judged(ADAPTIVE, ["forwards_differ_fraction"]),
    "two classes": lambda: document(by_class=document()["by_class"][:2]),
    "1,000 classes": lambda: document(by_class=classes(1000)),
    "no curve": lambda: document(curve=[]),
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


def gallery(count=4, epsilon=BALL.epsilon):
    """Images of the network before and after PGD."""
    model, x, y = network()
    config = pgd.Config(norm="linf", epsilon=epsilon, step_size=epsilon / 4, steps=20)
    x, y = x[:100], y[:100]
    x_adv, success = pgd.perturb(model, x, y, config=config, generator=Generator().manual_seed(0))
    rows = success.nonzero().flatten()[:count]
    before, after = (model(images[rows]).argmax(1).tolist() for images in (x, x_adv))
    names = (list(map(str, labels)) for labels in (y[rows].tolist(), before, after))
    return Gallery(x[rows], x_adv[rows], *names, ["pgd"] * count)
