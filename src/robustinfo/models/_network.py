"""A network with named layers, whose outputs measures and defences can observe."""

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from functools import partial

from torch import Tensor, nn

from robustinfo.core.errors import UserError

# The two points that are no modules: the inputs, and the softmax of the logits.
INPUT, SOFTMAX = "input", "softmax"


class Network(nn.Sequential):
    """Named layers in order, images (n, c, h, w) in [0, 1] or words (n, length) -> logits (n, K).

    probes: the points of the information plane (before the activation, in the papers).
    activations: the non-negative outputs whose activation entropy is measured, first to last.
    Both are kept in the order of the layers. Raises ValueError if a point is no layer; ``input``
    is always one, the first, and ``softmax``, the last. A layer within a layer is a point too:
    ``group1.block1.act1``.
    """

    def __init__(
        self, layers: OrderedDict, probes: Sequence[str], activations: Sequence[str]
    ) -> None:
        super().__init__(layers)
        choices = [INPUT, *_layer_names(self), SOFTMAX]
        for point in (*probes, *activations):
            if point not in choices:
                as_deep = [name for name in choices if name.count(".") <= point.count(".")]
                raise UserError(f"no layer {point!r}; choose from {', '.join(as_deep)}")
        self.probes = tuple(point for point in choices if point in probes)
        self.activations = tuple(point for point in choices if point in activations)

    @property
    def logits(self) -> tuple[str]:
        """The point of the logits: the last layer."""
        return ([*self._modules][-1],)

    @property
    def last_hidden(self) -> str | None:
        """The last of the probes between the inputs and the logits; None if there is none."""
        between = [probe for probe in self.probes if not _is_end(self, probe)]
        return between[-1] if between else None

    def observe(self, x: Tensor, points: tuple[str, ...]) -> tuple[Tensor, dict[str, Tensor]]:
        """Logits (n, K), and the output of every point, flattened to (n, d), in layer order."""
        outputs = {INPUT: x.flatten(1)} if INPUT in points else {}
        with ExitStack() as hooks:
            for point in points:
                if "." in point:
                    record = partial(_record, outputs, point)
                    hooks.callback(self.get_submodule(point).register_forward_hook(record).remove)
            for name, layer in self.named_children():
                x = layer(x)
                if name in points:
                    outputs[name] = x.flatten(1)
        if SOFTMAX in points:
            outputs[SOFTMAX] = x.softmax(1)
        return x, outputs


def _is_end(model: Network, point: str) -> bool:
    """Whether a point is the inputs, the softmax, or the logits, also of a network within it."""
    above, _, name = point.rpartition(".")
    if point in (INPUT, SOFTMAX):
        return True
    inside = model.get_submodule(above)
    return isinstance(inside, Network) and name == [*inside._modules][-1]


def _record(
    outputs: dict[str, Tensor], point: str, _layer: nn.Module, _x: tuple, t: Tensor
) -> None:
    outputs[point] = t.flatten(1)


def _layer_names(whole: nn.Module, path: str = "") -> Iterator[str]:
    """The names of all layers in the order of their outputs: a layer after those within it."""
    for name, layer in whole.named_children():
        yield from _layer_names(layer, f"{path}{name}.")
        yield path + name
