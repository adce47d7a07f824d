"""One operation of a chain: affine, or monotone in every input.

Both kinds of bounds need little of an operation, so that any of torch's can be taken as it is. An
affine one, A t + b, is f; then |A| r = |g(r) - g(0)|, with g = f but for absolute weights; and the
transpose of A is its backward pass. A monotone one maps the ends of an interval to its ends.
"""

from typing import Any, NamedTuple

import torch
from torch import Tensor

# Operations of torch, with the place of what multiplies the input, which stands before it; if
# there is such a thing.
AFFINE = {
    "add": None, "sub": None, "rsub": None, "neg": None, "mul": 1, "div": 1, "mm": 1, "addmm": 2,
    "convolution": 1, "native_batch_norm": 1, "cudnn_batch_norm": 1, "avg_pool2d": None,
    "_adaptive_avg_pool2d": None, "mean": None, "constant_pad_nd": None, "view": None,
    "_unsafe_view": None,
}  # fmt: skip
RESHAPES = ("view", "_unsafe_view")
MONOTONE = ("relu", "sigmoid", "tanh", "clamp", "hardtanh", "max_pool2d_with_indices")
RELU = "relu"


class Step(NamedTuple):
    """An operation on t, (n, ...), and its other arguments, in float64."""

    layer: str  # that it belongs to
    name: str  # of AFFINE or MONOTONE
    operation: Any  # of torch.ops.aten
    arguments: tuple[Any, ...]  # with t at ``place``
    place: int
    keywords: dict[str, Any]

    @property
    def affine(self) -> bool:
        """Whether it is affine; if not, it is monotone."""
        return self.name in AFFINE

    def __call__(self, t: Tensor) -> Tensor:
        """What the network has behind it."""
        return self._applied(t, self.arguments)

    def reach(self, radius: Tensor) -> Tensor:
        """|A| r of an affine one: what its output differs by at most.  radius: (n, ...), >= 0."""
        factor, arguments = AFFINE[self.name], list(self.arguments)
        if factor is not None and arguments[factor] is not None:  # BatchNorm may have no weights
            arguments[factor] = abs(arguments[factor])
        at_zero = self._applied(torch.zeros_like(radius[:1]), arguments)
        return (self._applied(radius, arguments) - at_zero).abs()

    def transposed(self, rows: Tensor, shape: torch.Size) -> tuple[Tensor, Tensor]:
        """Of rows c, (n, s, ...), on the output: A' c, (n, s, *shape), and c . b, (n, s)."""
        at_zero = torch.zeros(1, *shape, dtype=rows.dtype, device=rows.device)
        constant, backward, *_ = torch.func.vjp(self.__call__, at_zero)
        (through,) = torch.func.vmap(backward)(rows.flatten(0, 1)[:, None])
        through = through.view(*rows.shape[:2], *shape)
        return through, (rows * constant[0]).flatten(2).sum(2)

    def _applied(self, t: Tensor, arguments: Any) -> Tensor:  # noqa: ANN401
        given = list(arguments)
        given[self.place] = t
        if self.name in RESHAPES:
            return t.reshape(len(t), *given[1][1:])  # in whatever order its memory is
        out = self.operation(*given, **self.keywords)
        return out if isinstance(out, Tensor) else out[0]
