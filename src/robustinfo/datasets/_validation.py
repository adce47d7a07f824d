"""Set a share of the training images aside to choose by, so that the test images choose nothing."""

import torch
from torch import Tensor


def split_validation(
    labels: Tensor, share: float, *, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Indices (training, validation), each int64 and sorted; disjoint, together all of ``labels``.

    labels: (n,). Every class gives round(share * its size) of its images, drawn by ``generator``;
    a share of 0 gives an empty validation set. Raises ValueError unless 0 <= share < 1.
    """
    if not 0 <= share < 1:
        raise ValueError(f"the validation share is {share}; it must be in [0, 1)")
    chosen = torch.zeros(len(labels), dtype=torch.bool)
    for label in labels.unique():  # unique sorts: the draw does not depend on the order of labels
        members = (labels == label).nonzero().squeeze(1)
        order = torch.randperm(len(members), generator=generator)
        chosen[members[order[: round(share * len(members))]]] = True
    return (~chosen).nonzero().squeeze(1), chosen.nonzero().squeeze(1)
