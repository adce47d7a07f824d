"""Which attacks count in one setting of a study."""

from collections.abc import Mapping

from pipeline.results.worst_case import within
from pipeline.study.per import resolve
from pipeline.study.slices import present
from robustinfo.judge.threats import Threat


def counting(params: Mapping, names: Mapping[str, str]) -> dict[str, Threat]:
    """The attacks of a setting that are part of a threat model. params: of the whole study."""
    attacks = present("attacks", resolve(params["attacks"], names))
    return within(attacks, resolve(params["threat"], names))
