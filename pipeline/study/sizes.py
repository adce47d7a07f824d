"""Sizes in pixel values: where a study means 8/255 and writes 8, for all of its entries."""

from collections.abc import Iterator
from typing import Any, get_args

from pydantic import BeforeValidator

from pipeline.study.strict_yaml import Key
from robustinfo.core.settings import Entry, Settings, diameter, out_of_scale, pixels


def problems(config: Settings, values: int | None) -> Iterator[tuple[Key, str]]:
    """(key, what is wrong) of every size in a method's settings that no perturbation can have.

    values: of an image, if known. What names no norm, as a direction of signs, is one in linf.
    """
    norm: Any = getattr(config, "norm", "linf")
    for name, field in type(config).model_fields.items():
        value = getattr(config, name)
        if isinstance(value, Settings):
            for key, problem in problems(value, values):
                yield (name, *key), problem
        elif value is not None and _is_size(field.annotation, field.metadata):
            if problem := out_of_scale(value, norm, values):
                yield (name,), problem


def is_huge_end(kind: str, config: Settings, swept: str) -> bool:
    """Whether it is a level of an epsilon curve where an attack may paint any image, on purpose."""
    if kind != "diagnostics" or swept != "epsilon":
        return False
    norm: Any = getattr(config, "norm", None)
    return norm == "l2" or getattr(config, "epsilon", None) == diameter(norm, 1)


def values_of(dataset: Entry) -> int | None:
    """The values of one image of a data set, c h w; None of texts, and where its file says none."""
    from math import prod

    from robustinfo.core import registry

    shape = registry.hook("datasets", dataset, "image_shape")
    return prod(shape(registry.config("datasets", dataset))) if shape else None


def _is_size(annotation: Any, metadata: list) -> bool:  # noqa: ANN401 - any type
    """Whether a field is Pixels, or Pixels | None."""
    found = [*metadata, *(m for a in get_args(annotation) for m in getattr(a, "__metadata__", ()))]
    return any(isinstance(one, BeforeValidator) and one.func is pixels for one in found)
