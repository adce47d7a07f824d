"""A study of one setting with the default of every number that its methods and trainings have."""

from typing import Any

from pipeline.study.slices import INNER, KINDS, TRAININGS
from robustinfo.core.settings import Entry


def completed(study: dict[str, Any]) -> dict[str, Any]:
    """study: checked, as a setting sees it (``slices.in_setting``)."""
    from robustinfo.training import loop

    found = dict(study)
    for section, kind in KINDS.items():
        found[section] = {name: _entry(kind, one) for name, one in study[section].items()}
    for section in TRAININGS:
        trainings = study[section].items()
        found[section] = {
            name: loop.Config(**numbers).model_dump(mode="json") for name, numbers in trainings
        }
    return found


def _entry(kind: str, entry: Entry) -> Entry:
    """The entry with its method's defaults, and those of the entries inside it."""
    from robustinfo.core import registry

    _, first = next(registry.sweep(entry))
    config = registry.config(kind, first)
    found = config.model_dump(mode="json")
    for name in INNER.keys() & found.keys():
        found[name] = _entry(INNER[name], getattr(config, name))
    swept = entry.get("sweep", {})
    found = {name: value for name, value in found.items() if name not in swept}
    return {"method": entry["method"]} | found | ({"sweep": swept} if swept else {})
