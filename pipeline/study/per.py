"""Values that depend on the setting: ``{per: {mnist: 0.3, cifar10/keras_cnn: 0.03}}``.

The keys are data sets, or ``dataset/model``, which wins; ``else`` is the default for
all other settings.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from pipeline.study.strict_yaml import Key, StudyError, abbreviated

PER, ELSE = "per", "else"
# Sections of stages that work on one setting. All others are of the whole study.
SECTIONS = (
    "datasets", "models", "training_images", "validation_share", "defences", "pretrain", "retrain",
    "train_selected", "evaluation_images", "images_per_job", "attacks", "threat",
    "snapshot_attacks", "measures", "training_measure", "snapshot_diagnostics",
    "complexities", "distorted", "distortions", "diagnostics", "learning", "detection",
)  # fmt: skip


def resolve(value: Any, names: Mapping[str, str]) -> Any:  # noqa: ANN401
    """The value in one setting: every ``per`` resolved. Without a data set in names, none is.

    Raises StudyError if there is no value for it.
    """
    if isinstance(value, list):
        return [resolve(item, names) for item in value]
    if not isinstance(value, dict) or "dataset" not in names:
        return value
    if value.keys() != {PER}:
        return {key: resolve(item, names) for key, item in value.items()}
    keys = (f"{names['dataset']}/{names.get('model')}", names["dataset"], ELSE)
    for key in keys:
        if key in value[PER]:
            return resolve(value[PER][key], names)
    raise StudyError(f"no value for {keys[0]} among {', '.join(value[PER])}")


def misplaced(content: dict[str, Any]) -> Iterator[tuple[Key, str]]:
    """(key, problem) of every ``per`` in a section that is the same in all settings."""
    for key, _ in _choices(content, ()):
        if key[0] not in SECTIONS:
            yield key, f"is one for the whole study; only {', '.join(SECTIONS)} may differ"


def problems(content: dict[str, Any], settings: list[dict[str, str]]) -> Iterator[tuple[Key, str]]:
    """(key, problem) of every ``per`` that some stage could not resolve.

    It may name a data set or network that no setting uses.
    """
    sets = {*content["datasets"]}
    pairs = {f"{dataset}/{model}" for dataset in sets for model in content["models"]}
    for key, choice in _choices(content, ()):
        known = {ELSE} | (sets if key[0] == "datasets" else sets | pairs)
        if not isinstance(choice, dict) or set(choice) - known:
            settings_known = ", ".join(sorted(known))
            yield key, f"reads {abbreviated(choice)}; it maps settings to values: {settings_known}"
        else:
            for setting in settings:
                try:
                    resolve({PER: choice}, setting)
                except StudyError as error:
                    yield key, str(error)


def _choices(value: Any, key: Key) -> Iterator[tuple[Key, Any]]:  # noqa: ANN401
    items = enumerate(value) if isinstance(value, list) else ()
    for name, item in value.items() if isinstance(value, dict) else items:
        if name == PER:
            yield (*key, PER), item
        yield from _choices(item, (*key, name))
