"""What the judge says of the honest networks: nobody may be accused.

    python -m benchmarks.honest_verdicts --protocol small --file FILE [--folder FOLDER] [NAME ...]

A network that is in the file already is not judged again. An accusation is a deciding check that is
surely failed and puts the network into a class that says its robustness is not real: invalid,
masked, randomised, not converged. ``broken`` is none: these networks are mostly undefended.
"""

import argparse
import time
from pathlib import Path

import pandas as pd
import torch

from benchmarks.honest.registry import BY_NAME, load
from robustinfo.evaluation.by_protocol import evaluate_by_protocol
from robustinfo.evaluation.checks import UNTRUSTED
from robustinfo.evaluation.result import Result
from robustinfo.evaluation.sizes import BY_NAME as SIZE_BY_NAME
from robustinfo.evaluation.threats import Ball

COLUMNS = [
    "network", "norm", "epsilon", "protocol", "images", "verdict", "clean_accuracy",
    "robust_accuracy", "accused_by", "failed", "cannot_say", "seconds",
]  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--protocol", required=True, choices=SIZE_BY_NAME)
    parser.add_argument("--file", type=Path, required=True)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("names", nargs="*", default=list(BY_NAME))
    given = parser.parse_args()
    torch.set_num_threads(1)
    for name in given.names:
        there = given.file.exists()
        if there and name in set(pd.read_csv(given.file).network):
            continue
        start = time.process_time()
        found = judged(name, given.protocol, given.folder)
        line = told(name, given.protocol, found) | {"seconds": round(time.process_time() - start)}
        print(line, flush=True)
        table = pd.DataFrame([line], columns=COLUMNS)
        table.to_csv(given.file, mode="a", header=not there, index=False)


def judged(name: str, protocol: str, folder: Path | None) -> Result:
    size = SIZE_BY_NAME[protocol]
    network, x, y = load(name, folder, size.images)
    case = BY_NAME[name]
    ball = Ball(norm=case.norm, epsilon=case.epsilon)
    return evaluate_by_protocol(
        size,
        network,
        x,
        y,
        classes=10,
        ball=ball,
        progress=lambda text: None,
    )


def told(name: str, protocol: str, found: Result) -> dict:
    answers = found.checks
    failed = [one for one in answers if one.result == "failed"]
    return {
        "network": name,
        "norm": found.threat.norm,
        "epsilon": found.threat.epsilon,
        "protocol": protocol,
        "images": found.n,
        "verdict": found.verdict,
        "clean_accuracy": float(found.clean_accuracy),
        "robust_accuracy": float(found.robust_accuracy),
        "accused_by": " ".join(
            f"{one.check.name}={one.value:.3g}" for one in failed if one.check.verdict in UNTRUSTED
        ),
        "failed": " ".join(one.check.name for one in failed),
        "cannot_say": " ".join(one.check.name for one in answers if one.result == "cannot say"),
    }


if __name__ == "__main__":
    main()
