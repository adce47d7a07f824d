"""``robustbench:NAME`` or ``robustbench:THREATMODEL/NAME``: a network of RobustBench's model zoo.

Croce et al. (2021), arXiv 2010.09670. The threat model is Linf unless it is named; the data set is
told by its number of classes: CIFAR-10, CIFAR-100 or ImageNet. These networks read images in
[0, 1]. RobustBench fetches weights from Google Drive and opens them with ``torch.load``.
"""

import sys
from importlib.util import find_spec
from pathlib import Path

import pyautoattack
import torch

from robustinfo.core.errors import UserError
from robustinfo.evaluation.sources._request import (
    Loaded,
    ModelRequest,
    check_name,
    import_extra,
    unavailable,
)

DATASETS = {10: "cifar10", 100: "cifar100", 1000: "imagenet"}


def load(name: str, request: ModelRequest) -> Loaded:
    """Images in [0, 1] -> logits. Raises UserError."""
    _import()
    from robustbench.model_zoo import model_dicts
    from robustbench.model_zoo.enums import BenchmarkDataset
    from robustbench.utils import load_model

    text = f"robustbench:{name}"
    threat, name = name.split("/", 1) if "/" in name else ("Linf", name)
    if request.classes not in DATASETS:
        raise UserError(
            f"{text}: RobustBench's networks know the classes of {', '.join(DATASETS.values())}, "
            f"and the data has {request.classes}; choose other data"
        )
    dataset = DATASETS[request.classes]
    zoo = {one.value: names for one, names in model_dicts[BenchmarkDataset(dataset)].items()}
    if threat not in zoo:
        raise UserError(
            f"{text}: RobustBench has no threat model {threat!r} for {dataset}; choose from "
            f"{', '.join(zoo)}"
        )
    check_name(name, zoo[threat], text, f"RobustBench, {dataset}, {threat},")
    cache = Path(torch.hub.get_dir()) / "robustbench"
    try:
        network = load_model(name, model_dir=cache, dataset=dataset, threat_model=threat)
    except Exception as error:  # of gdown, requests, timm and torch
        raise unavailable(text, error, str(cache)) from error
    return Loaded(network)


def _import() -> None:
    if find_spec("autoattack") is None:  # imported by that name, and on PyPI only by another one
        sys.modules.setdefault("autoattack", pyautoattack)
    import_extra("robustbench")
