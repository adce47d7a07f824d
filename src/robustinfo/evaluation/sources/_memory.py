"""A network that the caller has in memory: a copy of it is judged, and it stays as it is."""

from collections.abc import Callable
from copy import deepcopy
from typing import Any

from torch import Tensor, nn

from robustinfo.core.errors import UserError
from robustinfo.evaluation.sources._answers import AnswersOnly
from robustinfo.evaluation.sources._error_origin import error_with_origin
from robustinfo.evaluation.sources._guarded import Guarded, uncompiled
from robustinfo.evaluation.sources._request import copy_lines


def network_in_memory(
    network: nn.Module | Callable[..., Any], name: str, classes: int
) -> nn.Module:
    """A copy of the module, or AnswersOnly around a function. Raises UserError if it is neither."""
    if isinstance(network, Guarded):
        network = network.network
    if not isinstance(network, nn.Module):
        if not callable(network) or isinstance(network, type):
            kind = f"the class {network.__name__}" if isinstance(network, type) else repr(network)
            raise UserError(
                f"{name} is {kind:.80}, no network; give a torch.nn.Module, or a function of numpy "
                "arrays: images (n, c, h, w) -> scores (n, K) or labels (n,)"
            )
        return AnswersOnly(network, classes)
    try:
        return _copy(uncompiled(network))
    except Exception as error:  # of whatever the network holds
        raise UserError(
            f"{name} cannot be copied ({error_with_origin(error)}), and a copy is judged so that "
            "yours stays as it is; build it anew with its weights, and give that:"
            + copy_lines("fresh = Net(...)", "fresh.load_state_dict(network.state_dict())")
        ) from error


def _copy(network: nn.Module) -> nn.Module:
    """A deep copy; of results that the last forward left in the modules, without their graph."""
    kept = [one for part in network.modules() for one in vars(part).values()]
    results = [one for one in kept if isinstance(one, Tensor) and not one.is_leaf]
    return deepcopy(network, {id(one): one.detach().clone() for one in results})
