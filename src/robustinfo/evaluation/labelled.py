"""Labelled images of a program: tensors, arrays, a DataLoader or a Dataset."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, IterableDataset

from robustinfo.core.batches import ImageSource
from robustinfo.core.errors import UserError
from robustinfo.datasets._summary import DataSummary
from robustinfo.evaluation.images import LabelledImages

SORTED = 20  # labels in a row that no shuffled images have sorted


def labelled_images(
    x: Any,  # noqa: ANN401
    y: Any,  # noqa: ANN401
    limit: int,
    classes: int | Sequence[str] | None = None,
) -> LabelledImages:
    """The first images, at most ``limit``, with labels and the names of the classes.

    x: (n, c, h, w), uint8 or floats in [0, 1], with y: (n,) integers; or a DataLoader or a Dataset
    of (image, label), without y: a Dataset's images are read batch by batch. classes: their number
    or names; None: as many as labels need. Raises UserError.
    """
    cut = isinstance(x, DataLoader | Dataset)  # of which no more are known
    if isinstance(x, DataLoader | Dataset):
        if y is not None:
            raise UserError("a DataLoader or Dataset has its labels; leave out y")
        x, y = _collected(x, limit)
    elif y is None:
        raise UserError("images need their labels: judge(model, x, y, epsilon=...)")
    images = x if isinstance(x, DatasetImages) else _images(x)
    labels = _labels(y)
    if images.shape[0] != len(labels):
        raise UserError(f"{images.shape[0]} images, and {len(labels)} labels; give as many")
    more, labels = len(labels) > limit, labels[:limit]
    if not len(labels):
        raise UserError("no images: there is nothing to judge")
    if more or cut:
        _check_mixed(labels)
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


def _check_mixed(labels: Tensor) -> None:
    """Raise UserError where the first of more images are sorted by class: they lack the others."""
    if len(labels) >= SORTED and bool((labels.diff() >= 0).all()):
        raise UserError(
            f"the first {len(labels)} images are sorted by class, so they lack classes; shuffle "
            "images and labels alike, as by a permutation of a fixed seed"
        )


def _check_labels(labels: Tensor, names: list[str]) -> None:
    low, high = int(labels.min()), int(labels.max())
    if low < 0 or high >= len(names):
        raise UserError(
            f"labels are from {low} to {high}, and {len(names)} classes have 0 to {len(names) - 1}"
        )


def _collected(source: DataLoader | Dataset, limit: int) -> tuple[ImageSource, Tensor]:
    """The first images and labels: of a DataLoader in memory, of a Dataset read when asked for."""
    if isinstance(source, IterableDataset):
        source = DataLoader(source, batch_size=64)
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
    n = min(limit, len(source))  # type: ignore[arg-type]
    if not n:
        raise UserError("the Dataset is empty: there is nothing to judge")
    return DatasetImages(source, n), torch.tensor([int(source[row][1]) for row in range(n)])


class DatasetImages:
    """The first n images of a Dataset of (image, label), read when they are asked for."""

    def __init__(self, source: Dataset, n: int) -> None:
        """Raises UserError unless the first image is a tensor as ``judge`` takes it."""
        self._source, self._n = source, n
        self.shape = (n, *self[:1].shape[1:])

    def __getitem__(self, part: slice, /) -> Tensor:
        """(m, c, h, w), uint8 or floats in [0, 1]."""
        rows = range(self._n)[part]
        images = [self._source[row][0] for row in rows]
        for one in images:
            if not isinstance(one, Tensor):
                raise UserError(
                    f"the Dataset gives {type(one).__name__}, not a tensor; let its transform end "
                    "in torchvision.transforms.ToTensor()"
                )
        return _images(torch.stack(images))


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
    if images.isnan().any():
        raise UserError("images have pixels that are NaN; leave them out")
    low, high = (images.amin().item(), images.amax().item()) if len(images) else (0.0, 1.0)
    if not 0 <= low <= high <= 1:
        raise UserError(
            f"pixels are from {low:.3g} to {high:.3g}, not in [0, 1]; divide them by 255, or give "
            "the images before their normalisation, and its numbers as mean= and std="
        )
    return images.float()


def _labels(y: Any) -> Tensor:  # noqa: ANN401
    try:
        labels = torch.as_tensor(y)
    except (TypeError, ValueError, RuntimeError) as error:
        raise UserError(f"labels are no integers ({error}); give the numbers of classes") from error
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
