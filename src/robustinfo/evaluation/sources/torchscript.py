"""TorchScript: a file that ``torch.jit.save`` wrote, whatever it is called.

It holds the network's code beside its weights, and is trusted as a module of Python is: judge only
files that you would run.
"""

import warnings
from pathlib import Path

import torch

from robustinfo.core.errors import UserError
from robustinfo.evaluation.sources._error_origin import error_with_origin
from robustinfo.evaluation.sources._fingerprint import file_sha256
from robustinfo.evaluation.sources._request import Loaded, ModelRequest, copy_lines


def load(text: str, request: ModelRequest) -> Loaded:
    """The network of the file. Raises UserError if this torch cannot load it."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that torch.jit is deprecated
            # At once on the device: weights that were frozen do not move later.
            network = torch.jit.load(text, map_location=request.device)
    except Exception as error:  # of torch's C++, which may raise anything
        raise UserError(
            f"{text} is TorchScript that torch {torch.__version__} cannot load "
            f"({error_with_origin(error)}); save the weights alone where it was made:"
            + copy_lines(
                'torch.save(network.state_dict(), "weights.pt")',
                "robustinfo judge weights.pt --build mine:Net",
            )
        ) from error
    note = "is TorchScript: code, trusted as a module of Python is"
    return Loaded(network, file_sha256(Path(text)), (note,))
