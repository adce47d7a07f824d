"""A network of another maker whose layers are observed by their names, as those of models/ are."""

from collections.abc import Sequence
from contextlib import ExitStack
from functools import partial

from torch import Tensor, nn

from robustinfo.core.errors import UserError
from robustinfo.evaluation.sources._guarded import Guarded
from robustinfo.evaluation.sources._normalised import Normalised
from robustinfo.models._network import INPUT, SOFTMAX

LOGITS = "logits"


class Observed(nn.Module):
    """Images (n, c, h, w) in [0, 1] -> logits (n, K).

    probes, activations: the points that measures read: names of modules inside the network, and
    ``input``, ``logits``, ``softmax``.
    """

    logits = (LOGITS,)

    def __init__(
        self, guard: Guarded, text: str, probes: Sequence[str], activations: Sequence[str]
    ) -> None:
        """Raise UserError if a point is no module of the network ``text``."""
        super().__init__()
        self.guard = guard
        self.probes, self.activations = tuple(probes), tuple(activations)
        inside = guard.network
        while isinstance(inside, Normalised):
            inside = inside.network
        self._layers = {name: module for name, module in inside.named_modules() if name}
        for point in (*probes, *activations):
            if point not in (*self._layers, INPUT, LOGITS, SOFTMAX):
                choices = ", ".join((INPUT, *[*self._layers][:40], LOGITS, SOFTMAX))
                raise UserError(f"{text} has no layer {point!r}; choose from {choices}")

    def forward(self, x: Tensor) -> Tensor:
        """Logits (n, K)."""
        return self.guard(x)

    def observe(self, x: Tensor, points: tuple[str, ...]) -> tuple[Tensor, dict[str, Tensor]]:
        """Logits (n, K), and the output of every point, flattened to (n, d), in layer order."""
        outputs = {INPUT: x.flatten(1)} if INPUT in points else {}
        with ExitStack() as hooks:
            for point in points:
                if layer := self._layers.get(point):
                    record = partial(_record, outputs, point, len(x))
                    hooks.callback(layer.register_forward_hook(record).remove)
            logits = self.guard(x)
        if LOGITS in points:
            outputs[LOGITS] = logits
        if SOFTMAX in points:
            outputs[SOFTMAX] = logits.softmax(1)
        return logits, outputs


def _record(
    outputs: dict[str, Tensor], point: str, n: int, _layer: nn.Module, _x: tuple, t: Tensor
) -> None:
    if not isinstance(t, Tensor) or len(t) < n:
        raise UserError(f"layer {point!r} gives no tensor of {n} rows; choose another to measure")
    outputs[point] = t[:n].flatten(1)  # one image may have been passed twice
