"""Networks that a study did not train: entries of `defences` with a `network` and no `method`."""
# ruff: noqa: RUF012 - pydantic copies a default for every model

from pathlib import Path
from typing import Any, NamedTuple, Self

from pydantic import Field, model_validator

from robustinfo.core.settings import Entry, Settings

NETWORK = "network"  # the key that tells such an entry from a method's
# The settings that are handed to the loader of networks, where they are given.
OPTIONS = ("build", "build_args", "mean", "std")


class External(Settings):
    """A network that was trained elsewhere, named as `robustinfo judge` names one.

    It stands in place of a defence's method and training. It is attacked, diagnosed, measured and
    ranked like a network of the study, once, with the first of the `seeds`.
    """

    # module:function, FILE.safetensors, torchvision:NAME, timm:NAME, robustbench:NAME ...
    network: str = Field(min_length=1)
    files: list[str] = []  # other files that its code reads, as weights: a change of one is seen
    build: str | None = None  # module:Class of a network whose weights the file holds
    build_args: dict[str, Any] = {}  # its keyword arguments
    # of the images that it was trained on, subtracted first: one number, or one for each channel
    mean: float | list[float] | None = None
    std: float | list[float] | None = None  # the images are divided by it, after `mean`
    probes: list[str] = []  # layers that `measures` read, by their names inside it
    activations: list[str] = []  # layers that E_N and E_T are computed of

    @model_validator(mode="after")
    def mean_and_std_belong_together(self) -> Self:
        """Neither means anything without the other."""
        if (self.mean is None) != (self.std is None):
            raise ValueError("`mean` and `std` belong together; give both, of images in [0, 1]")
        return self


class Points(NamedTuple):
    """Layers of a network, by what measures read of it."""

    probes: tuple[str, ...]
    activations: tuple[str, ...]
    logits: tuple[str, ...] = ("logits",)


def is_external(entry: Any) -> bool:  # noqa: ANN401 - any YAML value
    """Whether an entry of `defences` names a network that this study did not train."""
    return isinstance(entry, dict) and isinstance(entry.get(NETWORK), str)  # not one of models/


def names(study: dict[str, Any]) -> list[str]:
    """Names of the defences of a setting that this study did not train."""
    return [name for name, entry in study["defences"].items() if is_external(entry)]


def only_trained(study: dict[str, Any]) -> dict[str, Any]:
    """The study in a setting, with the defences that it trains itself."""
    defences = study["defences"].items()
    return study | {"defences": {name: one for name, one in defences if not is_external(one)}}


def files(entry: Entry) -> list[Path]:
    """The files that an entry's network is made of."""
    named = [] if ":" in entry[NETWORK] else [entry[NETWORK]]
    return [Path(name) for name in (*named, *entry.get("files", ()))]


def modules(entry: Entry) -> list[str]:
    """Names of modules, possibly of this project, that build the entry's network."""
    texts = (entry[NETWORK], entry.get("build") or "")
    return [text.partition(":")[0] for text in texts if ":" in text]


def points(entry: Entry) -> Points:
    """The layers that measures read of an entry's network."""
    network = External(**entry)
    return Points(tuple(network.probes), tuple(network.activations))


def source(entry: Any) -> str:  # noqa: ANN401 - any YAML value
    """``mine:net``, of a network that was trained elsewhere; empty for any other."""
    return entry[NETWORK] if is_external(entry) else ""
