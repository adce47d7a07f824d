"""What union.json holds, checked before it is drawn: as ``report.schema`` for one evaluation."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from robustinfo.evaluation.report.schema import Document, read


class Union(NamedTuple):
    """A union, and the evaluations by norm, whose texts can be printed."""

    content: Mapping[str, Any]  # of union.json
    threats: dict[str, Document]

    @property
    def worst(self) -> Document:
        """The first evaluation with the verdict of the union."""
        return self.threats[self.content["verdict_of"][0]]


def checked(content: Mapping[str, Any]) -> Union:
    """The union of union.json. Raises UserError where an evaluation is not as this version's."""
    return Union(content, {norm: read(one) for norm, one in content["threats"].items()})
