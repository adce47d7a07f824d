"""``FILE.pt2``: a program that ``torch.export.save`` wrote.

It holds the network's operations beside its weights, and is trusted as a module of Python is: judge
only files that you would run.
"""

from pathlib import Path

import torch

from robustinfo.core.errors import UserError
from robustinfo.evaluation.sources._error_origin import error_with_origin
from robustinfo.evaluation.sources._fingerprint import file_sha256
from robustinfo.evaluation.sources._request import Loaded, ModelRequest, copy_lines

AGAIN = copy_lines(
    'n = torch.export.Dim("n")',
    "program = torch.export.export(network.eval(), (x,), dynamic_shapes=({0: n},))",
    'torch.export.save(program, "network.pt2")',
)


def load(text: str, request: ModelRequest) -> Loaded:
    """The network of the file. Raises UserError if this torch cannot load it."""
    try:
        network = torch.export.load(text).module()
    except Exception as error:  # of torch's C++, which may raise anything
        raise UserError(
            f"{text} is no program that torch {torch.__version__} can load "
            f"({error_with_origin(error)}); write it by this torch, from the network and some "
            f"images x:{AGAIN}"
        ) from error
    note = "is a program of torch.export: code, trusted as a module of Python is"
    return Loaded(
        network,
        file_sha256(Path(text)),
        (note,),
        advice=f"; for any number of images it is written so, from some images x:{AGAIN}",
    )
