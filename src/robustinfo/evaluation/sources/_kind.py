"""Tell by its name, and by the content of a file, which source loads a network."""

import re
from collections.abc import Mapping
from pathlib import Path, PureWindowsPath
from typing import Any
from zipfile import BadZipFile, ZipFile

from robustinfo.core.errors import UserError
from robustinfo.evaluation.sources._request import copy_lines

PREFIXES = {
    "torchvision": "torchvision",
    "timm": "timm",
    "robustbench": "robustbench",
    "hf": "huggingface",
    "http": "served",
    "https": "served",
}
FILES = (".pt", ".pth", ".ckpt", ".bin", ".pkl", ".tar", ".pt2", ".safetensors", ".onnx")
NORMALISED = ("torchvision", "timm", "robustbench", "huggingface", "checkpoint")
EXPORTED = ("/archive_format", "serialized_exported_program.json")  # since torch 2.8, before
BUILT = ("function", "weights")  # by code that takes arguments
FORMS = [
    "package.module:function",
    "package.module:Class",
    "FILE.pt (or .pth, .safetensors) with --build",
    "FILE.pt2",
    "FILE.onnx",
    *(f"{one}:NAME" for one in PREFIXES if not one.startswith("http")),
    "http://HOST:PORT/PATH",
]


def kind_of(text: str) -> str:
    """The module of this folder that loads the network. Raises UserError if there is none."""
    prefix, colon, _ = text.partition(":")
    if prefix in PREFIXES and colon:
        return PREFIXES[prefix]
    file = Path(text)
    if re.match(r"[A-Za-z]:[\\/]", text) and not _is_file(file):
        raise UserError(_windows(PureWindowsPath(text), text))
    if _is_file(file) and file.suffix != ".py":
        return _kind_of_file(file)
    if file.suffix in FILES:
        raise UserError(f"{text}: no such file in {Path.cwd()}")
    if prefix and colon:
        return "function"
    if file.suffix == ".py":
        module = ".".join(file.with_suffix("").parts)
        raise UserError(
            f"{text} is a file of code; name what in it builds the network:"
            + copy_lines(f"robustinfo judge {module}:Net")
        )
    raise UserError(f"{text!r} names no network; write one of: {', '.join(FORMS)}")


def options_of_twin(twin: str, network: str, about: Mapping[str, Any]) -> dict[str, Any]:
    """What is said about a network (build, build_args, mean, std), as far as it is of its twin too.

    The builder, where both are loaded alike; mean and std, unless the twin's source knows them.
    """
    kind = kind_of(twin)
    names = ("build", "build_args") * (kind == kind_of(network))
    names += ("mean", "std") * (kind not in NORMALISED)
    return {name: about[name] for name in names}


def _kind_of_file(file: Path) -> str:
    """By what is inside: TorchScript, torch.export and weights may all be called ``.pt``."""
    if file.suffix == ".onnx":
        return "onnx"
    if file.suffix == ".safetensors":
        return "checkpoint" if _is_ours(file) else "weights"
    try:
        with ZipFile(file) as archive:
            names = archive.namelist()
    except (BadZipFile, OSError):
        return "weights"  # of old versions of torch; loading says what it is
    if any(name.endswith("/constants.pkl") for name in names):
        return "torchscript"
    if any(name.endswith(EXPORTED) for name in names):
        return "exported"
    return "weights"


def _is_ours(file: Path) -> bool:
    """Whether a safetensors file is sealed, as ours are."""
    from safetensors import SafetensorError

    from robustinfo.core.sealed import is_sealed

    try:
        return is_sealed(file)
    except (OSError, SafetensorError):  # loading says why it cannot be read
        return False


def _is_file(file: Path) -> bool:
    try:
        return file.is_file()
    except (OSError, ValueError):  # a name that is too long, or holds a NUL
        return False


def _windows(path: PureWindowsPath, text: str) -> str:
    """What to write for a path of Windows."""
    folder = f"/mnt/{path.drive[0].lower()}/{'/'.join(path.parent.parts[1:])}".rstrip("/")
    return f"{text}: a path of Windows, and no such file is here; under WSL it is:" + copy_lines(
        f"cd '{folder}'", f"robustinfo judge {path.name.replace('.py:', ':')}"
    )
