"""Check of perturbation sizes, in pixel values of [0, 1]: a study that writes 8 means 8/255."""

from collections.abc import Iterator
from typing import Any, get_args

from pydantic import BeforeValidator

from pipeline.study.strict_yaml import Key
from robustinfo.core.settings import Entry, Settings, diameter, out_of_scale, pixels


def problems(config: Settings, dimension: int | None) -> Iterator[tuple[Key, str]]:
    """(key, problem) of every size in a method's settings that no perturbation can have.

    dimension: number of values of one image, if known. A method without a norm is taken as linf.
    """
    norm: Any = getattr(config, "norm", "linf")
    for name, field in type(config).model_fields.items():
        value = getattr(config, name)
        if isinstance(value, Settings):
            for key, problem in problems(value, dimension):
                yield (name, *key), problem
        elif value is not None and _is_size(field.annotation, field.metadata):
            for size in value if isinstance(value, tuple) else (value,):
                if problem := out_of_scale(size, norm, dimension):
                    yield (name,), problem


def is_huge_end(kind: str, config: Settings, swept: str) -> bool:
    """Whether it is the last level of an epsilon curve, where an attack may return any image."""
    if kind != "diagnostics" or swept != "epsilon":
        return False
    norm: Any = getattr(config, "norm", None)
    return norm in ("l2", "l1") or getattr(config, "epsilon", None) == diameter("linf", 1)


def input_dimension(dataset: Entry) -> int | None:
    """Number of values of one image, c h w; None of texts, and where its file gives no shape."""
    from math import prod

    from robustinfo.core import registry

    shape = registry.hook("datasets", dataset, "image_shape")
    return prod(shape(registry.config("datasets", dataset))) if shape else None


def _is_size(annotation: Any, metadata: list) -> bool:  # noqa: ANN401 - any type
    """Whether a field is Pixels, Pixels | None, or a tuple of Pixels."""
    constraints = [
        *metadata,
        *(m for a in get_args(annotation) for m in getattr(a, "__metadata__", ())),
    ]
    return any(isinstance(item, BeforeValidator) and item.func is pixels for item in constraints)
