"""Labelled images of a program: tensors, arrays, a DataLoader or a Dataset."""

from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from robustinfo.core.errors import UserError
from robustinfo.datasets._summary import DataSummary
from robustinfo.evaluation.images import LabelledImages


def labelled_images(
    x: Any,  # noqa: ANN401
    y: Any,  # noqa: ANN401
    limit: int,
    classes: int | Sequence[str] | None = None,
) -> LabelledImages:
    """The first images, at most ``limit``, with labels and the names of the classes.

    x: (n, c, h, w), uint8 or floats in [0, 1], with y: (n,) integers; or a DataLoader or a Dataset
    of (image, label), without y. classes: their number or names; None: as many as labels need.
    Raises UserError.
    """
    if isinstance(x, DataLoader | Dataset):
        if y is not None:
            raise UserError("a DataLoader or Dataset has its labels; leave out y")
        x, y = _collected(x, limit)
    elif y is None:
        raise UserError("images need their labels: judge(model, x, y, epsilon=...)")
    images, labels = _images(x), _labels(y)
    if len(images) != len(labels):
        raise UserError(f"{len(images)} images, and {len(labels)} labels; give as many")
    images, labels = images[:limit], labels[:limit]
    if not len(labels):
        raise UserError("no images: there is nothing to judge")
    names = _names(classes, int(labels.max()) + 1)
    _check_labels(labels, names)
    counts = labels.bincount(minlength=len(names)).tolist()
    summary = DataSummary(
        root="images in memory",
        split=None,
        classes=dict(zip(names, counts, strict=True)),
        order="by label",
        n=len(labels),
        left_out=[],
        notes=[],
    )
    return LabelledImages(images, labels, names, summary)


def with_classes(data: LabelledImages, classes: int) -> LabelledImages:
    """The images in so many classes, named by their labels."""
    names = _names(classes, classes)
    _check_labels(data.labels, names)
    counts = data.labels.bincount(minlength=classes).tolist()
    summary = data.summary._replace(classes=dict(zip(names, counts, strict=True)))
    return data._replace(classes=names, summary=summary)


def _check_labels(labels: Tensor, names: list[str]) -> None:
    low, high = int(labels.min()), int(labels.max())
    if low < 0 or high >= len(names):
        raise UserError(
            f"labels are from {low} to {high}, and {len(names)} classes have 0 to {len(names) - 1}"
        )


def _collected(source: DataLoader | Dataset, limit: int) -> tuple[Tensor, Tensor]:
    """The first images and labels of a DataLoader or Dataset."""
    if isinstance(source, DataLoader):
        images, labels, n = [], [], 0
        for x, y, *_ in source:
            images.append(_images(x))
            labels.append(_labels(y))
            n += len(labels[-1])
            if n >= limit:
                break
        if not images:
            raise UserError("the DataLoader gives no batch: there is nothing to judge")
        return torch.cat(images), torch.cat(labels)
    pairs: Iterable[Any] = (source[place] for place in range(min(limit, len(source))))  # type: ignore[arg-type]
    chosen = [(x, y) for x, y, *_ in islice(pairs, limit)]
    for x, _ in chosen[:1]:
        if not isinstance(x, Tensor):
            raise UserError(
                f"the Dataset gives {type(x).__name__}, not a tensor; let its transform end in "
                "torchvision.transforms.ToTensor()"
            )
    return torch.stack([x for x, _ in chosen]), torch.tensor([int(y) for _, y in chosen])


def _images(x: Any) -> Tensor:  # noqa: ANN401
    """As a tensor (n, c, h, w); UserError where pixels are not in [0, 1] or uint8."""
    images = torch.as_tensor(x)
    if images.ndim != 4:
        raise UserError(
            f"images have shape {tuple(images.shape)}; give (n, c, h, w), as of one grey image "
            "x.view(1, 1, h, w)"
        )
    if images.dtype == torch.uint8:
        return images
    if not images.is_floating_point():
        raise UserError(f"images are {images.dtype}; give uint8, or floats in [0, 1]")
    low, high = (images.amin().item(), images.amax().item()) if len(images) else (0.0, 1.0)
    if not 0 <= low <= high <= 1:
        raise UserError(
            f"pixels are from {low:.3g} to {high:.3g}, not in [0, 1]; give the images before their "
            "normalisation, and its numbers as mean= and std="
        )
    return images.float()


def _labels(y: Any) -> Tensor:  # noqa: ANN401
    labels = torch.as_tensor(y)
    if labels.ndim != 1 or labels.is_floating_point() or labels.dtype == torch.bool:
        raise UserError(
            f"labels are {labels.dtype} of shape {tuple(labels.shape)}; give integers (n,), as of "
            "one-hot rows y.argmax(1)"
        )
    return labels.cpu().long()


def _names(classes: int | Sequence[str] | None, least: int) -> list[str]:
    if classes is None:
        classes = least
    return [str(one) for one in (range(classes) if isinstance(classes, int) else classes)]
