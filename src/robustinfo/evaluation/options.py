"""Parse the options of the command line; a UserError says what an option may be."""

import json
import re
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, get_args

from robustinfo.core.errors import UserError
from robustinfo.core.settings import Norm, out_of_scale, pixels
from robustinfo.evaluation.sizes import BY_NAME

if TYPE_CHECKING:  # slow to import, and a wrong option is told without it
    import torch

PROTOCOLS = tuple(BY_NAME)
Detail = Literal["quiet", "normal", "verbose"]  # of what is printed
UNITS = {"s": 1, "m": 60, "h": 3600}


class Options(NamedTuple):
    """The options of ``robustinfo judge``, as JSON has them."""

    model: str
    data: str
    threats: dict[Norm, float]  # epsilon by norm, in pixel values of [0, 1]
    union: bool  # whether several were named (threat_options.py)
    protocol: str
    seconds: float | None  # the budget
    twin: str | None
    build: str | None  # module:Class
    build_args: dict[str, Any] | None
    mean: list[float] | None  # by channel, or one for all
    std: list[float] | None
    size: int | None
    classes: str | None  # a file
    images: int | None  # how many; None: as the protocol has it
    attacks: list[str] | None
    adversarial: list[str]  # files
    epsilons: list[float]
    abstain: str | None
    seed: int
    device: str
    batch_size: int | None
    remedies: bool | None  # as in evaluate
    corruptions: bool | None  # None: as the protocol has it
    out: str | None  # a folder
    as_json: bool  # JSON
    detail: Detail
    command: str  # that repeats it


def norm(text: str) -> Norm:
    """A norm as it is mostly written: linf, Linf, l_inf, inf; l2, L2, l_2, 2; l1, and so on."""
    short = text.lower().replace("_", "").removeprefix("l")
    for choice in get_args(Norm):
        if short == choice.removeprefix("l"):
            return choice
    raise UserError(f"--norm {text}: it is linf, l2 or l1")


def epsilon(text: str, ball_norm: Norm) -> float:
    """The radius of the ball in ``ball_norm``, in pixel values of [0, 1]."""
    try:
        size = float(pixels(text))
    except ValueError:
        raise UserError(f"--epsilon {text}: write a number, as 0.2 or 8/255") from None
    if not 0 < size < float("inf"):
        raise UserError(f"--epsilon {text}: pixels are in [0, 1], so it is above 0, and finite")
    if problem := out_of_scale(size, ball_norm):
        raise UserError(f"--epsilon {text}: {problem}")
    return size


def epsilons(text: str, ball_norm: Norm) -> list[float]:
    """Several radii, ``2/255,4/255``."""
    return [epsilon(one.strip(), ball_norm) for one in text.split(",")]


def protocol(text: str) -> str:
    """The name of a protocol."""
    if text not in PROTOCOLS:
        raise UserError(f"--protocol {text}: choose from {', '.join(PROTOCOLS)}")
    return text


def abstain(text: str | None) -> str | None:
    """What it is that a network abstains: ``robust`` or ``error``; None: it does not."""
    if text not in (None, "robust", "error"):
        raise UserError(f"--abstain {text}: it is robust (abstaining resists), or error")
    return text


def check_whole_numbers(seed: int, batch_size: int | None) -> None:
    """Raise UserError unless a seed is from 0 to 2^63 - 1, and a batch has an image."""
    if not 0 <= seed < 2**63:
        raise UserError(f"seed {seed}: it is from 0 to 2^63 - 1")
    if batch_size is not None and batch_size < 1:
        raise UserError(f"batch size {batch_size}: a batch has at least one image")


def attacks(text: str | None) -> list[str] | None:
    """Names or entries of attacks, ``pgd,autoattack`` or ``{method: pgd, steps: 500}``."""
    if text is None:
        return None
    return [one.strip() for one in re.split(r",(?![^{]*\})", text) if one.strip()]


def build_args(text: str | None) -> dict[str, Any] | None:
    """Keyword arguments, a mapping in JSON or YAML: ``{width: 12}``."""
    if text is None:
        return None
    from ruamel.yaml import YAML  # slow to import, as help has no need of it
    from ruamel.yaml.error import YAMLError

    try:
        content = YAML(typ="safe", pure=True).load(text)
        json.dumps(content)
    except (YAMLError, TypeError, ValueError, RecursionError) as error:
        problem = " ".join(str(error).split())[:100]
        raise UserError(
            f"--build-args {text:.80}: {problem}; write a mapping, as {{width: 12}}"
        ) from None
    if not isinstance(content, dict) or not all(isinstance(name, str) for name in content):
        raise UserError(f"--build-args {text:.80}: write a mapping of names, as {{width: 12}}")
    return content


def by_channel(text: str | None, option: str) -> list[float] | None:
    """Numbers, one for all channels or one per channel: ``0.5`` or ``0.49,0.48,0.45``."""
    if text is None:
        return None
    try:
        return [float(one) for one in text.split(",")]
    except ValueError:
        raise UserError(f"{option} {text}: write 0.5, or one per channel: 0.49,0.48,0.45") from None


def device(text: str) -> "torch.device":
    """The named device, or by default a GPU if there is one. Switches TF32 off."""
    import torch

    torch.backends.cudnn.allow_tf32 = False
    try:
        one = torch.zeros(1, device=text or ("cuda" if torch.cuda.is_available() else "cpu"))
        one.item()  # of ``meta`` there is none
        return one.device
    except (RuntimeError, AssertionError) as error:
        message = re.split(r"\n|\. ", str(error))[0]
        raise UserError(
            f"--device {text}: there is none ({message}); leave it out, or write cpu"
        ) from None


def seconds(text: str) -> float:
    """A duration, ``90s``, ``20m`` or ``2h``, in seconds."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([smh])", text)
    if match is None:
        raise UserError(f"--budget {text}: write a number and s, m or h, as 20m")
    return float(match[1]) * UNITS[match[2]]
