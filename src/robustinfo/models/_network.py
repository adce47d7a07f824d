"""A network whose layers have names, so that measures and defences can ask for their outputs."""

from collections import OrderedDict
from collections.abc import Sequence

from torch import Tensor, nn

from robustinfo.faults import Fault

# The two points that are no modules: the inputs, and the probabilities of the logits.
INPUT, SOFTMAX = "input", "softmax"


class Network(nn.Sequential):
    """Named layers in order, images (n, c, h, w) in [0, 1] or words (n, length) -> logits (n, K).

    probes: the points of the information plane (before the activation, in the papers).
    activations: the non-negative outputs whose activation entropy is measured, first to last.
    Both are kept in the order of the layers. Raises ValueError if a point is no layer; ``input``
    is always one, the first, and ``softmax``, the last.
    """

    def __init__(
        self, layers: OrderedDict, probes: Sequence[str], activations: Sequence[str]
    ) -> None:
        super().__init__(layers)
        known = [INPUT, *layers, SOFTMAX]
        for point in (*probes, *activations):
            if point not in known:
                raise Fault(f"no layer {point!r}; choose from {', '.join(known)}")
        self.probes = tuple(point for point in known if point in probes)
        self.activations = tuple(point for point in known if point in activations)

    def observe(self, x: Tensor, points: tuple[str, ...]) -> tuple[Tensor, dict[str, Tensor]]:
        """Logits (n, K), and the output of every point, flattened to (n, d), in layer order."""
        seen = {INPUT: x.flatten(1)} if INPUT in points else {}
        for name, layer in self.named_children():
            x = layer(x)
            if name in points:
                seen[name] = x.flatten(1)
        if SOFTMAX in points:
            seen[SOFTMAX] = x.softmax(1)
        return x, seen
