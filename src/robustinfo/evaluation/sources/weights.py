"""``FILE.pt``, ``.pth``, ``.ckpt``, ``.bin``, ``.tar`` or ``.safetensors``: weights by name.

``--build module:Class`` builds the network, with the arguments of ``--build-args``. The file is
read by ``torch.load(weights_only=True)``, which runs no code of the file.
"""

import re
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch.serialization import get_unsafe_globals_in_checkpoint

from robustinfo.core.errors import UserError
from robustinfo.evaluation.sources import function
from robustinfo.evaluation.sources._error_origin import error_with_origin
from robustinfo.evaluation.sources._fingerprint import file_sha256
from robustinfo.evaluation.sources._request import Loaded, ModelRequest, copy_lines
from robustinfo.evaluation.sources._state_dict import find_weights, put_weights

BEGINNING = 40  # bytes that an error shows
WRITTEN = (b"PK", b"\x80")  # by which the files of torch.save begin: a zip, a pickle


def load(text: str, request: ModelRequest) -> Loaded:
    """The network with the weights of the file. Raises UserError where they do not fit."""
    state, notes = find_weights(_content(Path(text), text), text)
    if request.build is None:
        name, tensor = next(iter(state.items()))
        raise UserError(
            f"{text} holds {len(state)} tensors, the first {name} {tuple(tensor.shape)}, and not "
            "the network that they belong to; say what builds it:"
            + copy_lines(
                f"robustinfo judge {text} --build mine:Net",
                f"robustinfo judge {text} --build mine:Net --build-args '{{\"width\": 12}}'",
            )
        )
    network = function.build(request.build, request)
    notes += put_weights(network, state, text, request.build)
    return Loaded(network, file_sha256(Path(text)), tuple(notes))


def _content(file: Path, text: str) -> Any:  # noqa: ANN401
    """What the file holds. Raises UserError."""
    try:
        if file.suffix == ".safetensors":
            return load_file(file)
        return torch.load(file, map_location="cpu", weights_only=True)
    except (SafetensorError, PermissionError) as error:
        raise UserError(f"{text} cannot be read ({error_with_origin(error)})") from error
    except Exception as error:  # of a pickle that holds more than weights, or of any other file
        raise UserError(_refusal(file, text, error)) from error


def _refusal(file: Path, text: str, error: Exception) -> str:
    """Why a file is not read, with the lines that make one of it that is."""
    if not isinstance(error, UnpicklingError) or not _beginning(file).startswith(WRITTEN):
        return (
            f"{text} holds no weights that torch.save wrote ({error_with_origin(error)}); it "
            f"begins with {_beginning(file)!r}"
        )
    try:
        objects = get_unsafe_globals_in_checkpoint(file)
    except ValueError:  # of a version of long ago; the error names the first alone
        objects = re.findall(r"GLOBAL (\S+)", str(error))
    held, state = "content", 'content["state_dict"]'
    if any(name.startswith("torch.nn.modules") for name in objects):
        held, state = "network", "network.state_dict()"
    return (
        f"{text} is a pickle of Python objects ({', '.join(objects[:3])}), which runs code when it "
        "is loaded; where you trust it, save its weights alone, once, in Python:"
        + copy_lines(
            f'{held} = torch.load("{text}", weights_only=False)',
            f'torch.save({state}, "weights.pt")',
            "robustinfo judge weights.pt --build mine:Net",
        )
    )


def _beginning(file: Path) -> bytes:
    with file.open("rb") as opened:
        return opened.read(BEGINNING)
