"""Defaults of methods and trainings, filled into a study of one setting."""

from typing import Any

from pipeline.study.external import External, is_external
from pipeline.study.slices import KINDS, NESTED_ENTRIES, TRAININGS
from robustinfo.core.settings import Entry


def with_defaults(study: dict[str, Any]) -> dict[str, Any]:
    """The study with every setting of its methods and trainings.

    study: checked, in one setting (``slices.in_setting``).
    """
    from robustinfo.training import loop

    complete = dict(study)
    for section, kind in KINDS.items():
        complete[section] = {
            name: External(**entry).model_dump(mode="json")
            if section == "defences" and is_external(entry)
            else _entry_with_defaults(kind, entry)
            for name, entry in study[section].items()
        }
    for section in TRAININGS:
        trainings = study[section].items()
        complete[section] = {
            name: loop.Config(**numbers).model_dump(mode="json") for name, numbers in trainings
        }
    return complete


def _entry_with_defaults(kind: str, entry: Entry) -> Entry:
    """The entry with its method's defaults, and those of the entries inside it."""
    from robustinfo.core import registry

    _, first = next(registry.sweep(entry))
    config = registry.config(kind, first)
    settings = config.model_dump(mode="json")
    for name in NESTED_ENTRIES.keys() & settings.keys():
        settings[name] = _entry_with_defaults(NESTED_ENTRIES[name], getattr(config, name))
    swept = entry.get("sweep", {})
    settings = {name: value for name, value in settings.items() if name not in swept}
    return {"method": entry["method"]} | settings | ({"sweep": swept} if swept else {})
