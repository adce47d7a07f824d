"""Image files as one (n, c, h, w), of which memory holds no more than a part.

All are opened once at the start, so that a file that is no image is named before anything is
judged; as many as fit into ``KEPT`` bytes stay decoded, the others are decoded again when they are
asked for.
"""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from robustinfo.datasets import _image
from robustinfo.datasets._storage import DataError

KEPT = 2**29  # bytes; 3,566 images of 3 x 224 x 224


class ImageFiles:
    """Slices are uint8 (n, c, h, w): one channel where all files are grey, otherwise three.

    ``notes`` say what was done to how many of them.
    """

    def __init__(self, files: Sequence[Path], size: int | None) -> None:
        """Open every file once; size: as ``_image.resized`` has it.

        Raises DataError for a file that is no sound image, or of another size than the first.
        """
        self._files, self._size = files, size
        self._kept: list[Tensor] = []
        counts: Counter[str] = Counter()
        first: Tensor | None = None
        channels = kept = 0
        for file in files:
            image, facts = _image.read_image(file, size)
            first = image if first is None else first
            if image.shape[1:] != first.shape[1:]:
                (h, w), (first_h, first_w) = image.shape[1:], first.shape[1:]
                raise DataError(
                    f"{file} has {h} x {w} pixels, {files[0]} {first_h} x {first_w}; "
                    "give one size for all, such as --size 224"
                )
            channels = max(channels, len(image))
            counts.update(facts)
            kept += image.numel()
            if kept <= KEPT:
                self._kept.append(image)
        assert first is not None, "a class has at least one image"
        self.shape = torch.Size((len(files), channels, *first.shape[1:]))
        self.notes = [f"images {what}: {count:,}" for what, count in sorted(counts.items())]

    def __len__(self) -> int:
        """How many files there are."""
        return self.shape[0]

    def __getitem__(self, part: slice) -> Tensor:
        """uint8 (n, c, h, w) of a part of the files."""
        images = [self._image(place) for place in range(*part.indices(len(self)))]
        if not images:
            return torch.empty((0, *self.shape[1:]), dtype=torch.uint8)
        return torch.stack([image.expand(self.shape[1], -1, -1) for image in images])

    def _image(self, place: int) -> Tensor:
        if place < len(self._kept):
            return self._kept[place]
        return _image.read_image(self._files[place], self._size)[0]
