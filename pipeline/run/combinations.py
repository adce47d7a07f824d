"""Names of the jobs of a study: all combinations of its entries for which a job exists."""

import itertools
from collections.abc import Iterator
from typing import Any

from pipeline.run.contract import Contract
from pipeline.study import external
from pipeline.study.slices import in_setting, look_up
from pipeline.study.strict_yaml import StudyError

Names = dict[str, str]


class Combinations:
    """The combinations of one checked study."""

    def __init__(self, study: dict[str, Any]) -> None:  # noqa: D107
        self.study, self.first_seed = study, str(study["seeds"][0])
        # (setting, study in that setting).
        self._settings = [
            (setting, _with_first_images(in_setting(study, setting)))
            for setting in study["settings"]
        ]
        self._external = {
            (setting["dataset"], setting["model"], name)
            for setting, study_here in self._settings
            for name in external.names(study_here)
        }

    def of(self, stage_contract: Contract) -> Iterator[Names]:
        """The names of every job of a stage, setting by setting where it has one."""
        without_setting: list[tuple[dict, dict]] = [({}, self.study)]
        needs = stage_contract.needs
        for setting, study in (
            self._settings if "setting" in stage_contract.jobs else without_setting
        ):
            sections = [
                _entry_names(study, key, label) for label, key in stage_contract.jobs.items()
            ]
            for chosen in itertools.product(*sections):
                all_names = {name: value for names in chosen for name, value in names.items()}
                is_there = all_names.get("defence") in (None, *study["defences"])
                is_there &= setting.items() <= all_names.items()
                if is_there and self._has_seed(all_names) and _has(study, needs, all_names):
                    yield all_names

    def is_external(self, names: Names) -> bool:
        """Whether names are of a network that this study did not train."""
        run = (names.get("dataset"), names.get("model"), names.get("defence"))
        return run in self._external

    def _has_seed(self, names: Names) -> bool:
        """Whether a run is of this seed: a network that is not trained here is of the first."""
        return not self.is_external(names) or names.get("seed") in (None, self.first_seed)


def _entry_names(study: dict[str, Any], key: str, label: str) -> list[Names]:
    """Names that each entry of a section gives a job: its mapping, or its name under the label."""
    entries = look_up(study, key)
    return [entry if isinstance(entry, dict) else {label: str(entry)} for entry in entries]


def _has(study: dict[str, Any], key: str | None, names: Names) -> bool:
    """Whether a key of the study, with names in braces, has a value; None: no key is needed."""
    if key is None:
        return True
    try:
        return bool(look_up(study, key.format(**names)))
    except StudyError:
        return False


def _with_first_images(study: dict[str, Any]) -> dict[str, Any]:
    """The study in a setting, and the first image of every job of an attack: ``first_images``.

    Empty where one job attacks all images.
    """
    total, each = study["evaluation_images"], study["images_per_job"]
    return study | {"first_images": [*range(0, total, each)] if each else []}
