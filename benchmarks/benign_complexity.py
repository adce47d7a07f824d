"""Complexity of all clean test images of MNIST and CIFAR-10: the benign rows of table 1.

"One Bit Matters", arXiv 1810.09650. Every complexity of ``studies/one-bit-matters.yaml``, per
image, and its mean with 1.96 standard errors over the images, beside the paper's.

    python -m benchmarks.benign_complexity --out benchmarks/results/DATE-benign-complexity
"""

import argparse
from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from pipeline.study.extends import read_study
from pipeline.study.slices import in_setting
from pipeline.study.strict_yaml import read
from robustinfo.core import registry
from robustinfo.core.measurement import mean
from robustinfo.datasets._prepared import data_root, open_split

STUDY = Path("studies/one-bit-matters.yaml")
PUBLISHED = Path("studies/references/one-bit-matters.yaml")
SETTINGS = ({"dataset": "mnist", "model": "all_cnn"}, {"dataset": "cifar10", "model": "all_cnn"})


def rows(setting: dict[str, str]) -> Iterator[dict]:
    """One line per complexity of the study in the setting."""
    dataset = setting["dataset"]
    study = in_setting(read_study(STUDY)[0], setting)
    images = open_split(dataset, "test", study["datasets"][dataset], data_root()).images
    published = read(PUBLISHED)[0]["input_complexity"][dataset]["benign"]
    for name, entry in study["complexities"].items():
        found = mean(name, registry.get("complexities", entry)(images))
        yield {
            "dataset": dataset,
            "entry": name,
            "n": found.n,
            "paper": published.get(name),
            "ours": round(found.value, 4),
            "low": round(found.low, 4),
            "high": round(found.high, 4),
        }


def main() -> None:
    """Measure both data sets and write them down."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="a folder; benign.csv is written")
    out = parser.parse_args().out
    out.mkdir(parents=True, exist_ok=True)
    table = pd.DataFrame([row for setting in SETTINGS for row in rows(setting)])
    table.to_csv(out / "benign.csv", index=False, lineterminator="\n")
    print(table.to_string(index=False))


if __name__ == "__main__":
    main()
