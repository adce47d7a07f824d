"""Values that depend on the setting: ``{per: {mnist: 0.3, cifar10/keras_cnn: 0.03}}``.

The keys are data sets, or ``dataset/model``, which wins; ``else`` serves all that are not named.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from pipeline.study.strict_yaml import Key, StudyError, shown

PER, ELSE = "per", "else"
# What stages read that work on one setting. Everything else is of the whole study.
SECTIONS = (
    "datasets", "models", "training_images", "validation_share", "defences", "pretrain", "retrain",
    "train_selected", "evaluation_images", "attacks", "threat", "snapshot_attacks", "measures",
    "training_measure", "snapshot_diagnostics",
    "complexities", "distorted", "distortions", "diagnostics", "learning", "detection",
)  # fmt: skip


def resolve(value: Any, names: Mapping[str, str]) -> Any:  # noqa: ANN401
    """The value for one setting: every ``per`` in it chosen. Without a data set, none is.

    Raises StudyError if there is no value for it.
    """
    if isinstance(value, list):
        return [resolve(one, names) for one in value]
    if not isinstance(value, dict) or "dataset" not in names:
        return value
    if value.keys() != {PER}:
        return {key: resolve(one, names) for key, one in value.items()}
    wanted = (f"{names['dataset']}/{names.get('model')}", names["dataset"], ELSE)
    for key in wanted:
        if key in value[PER]:
            return resolve(value[PER][key], names)
    raise StudyError(f"no value for {wanted[0]} among {', '.join(value[PER])}")


def misplaced(content: dict[str, Any]) -> Iterator[tuple[Key, str]]:
    """(key, what is wrong) of every ``per`` in a section that is one for all settings."""
    for key, _ in _choices(content, ()):
        if key[0] not in SECTIONS:
            yield key, f"is one for the whole study; only {', '.join(SECTIONS)} may differ"


def problems(content: dict[str, Any], settings: list[dict[str, str]]) -> Iterator[tuple[Key, str]]:
    """(key, what is wrong) of every ``per`` that some stage could not resolve.

    It may name a data set or network that no setting uses: settings come and go.
    """
    sets = {*content["datasets"]}
    pairs = {f"{one}/{other}" for one in sets for other in content["models"]}
    for key, choice in _choices(content, ()):
        known = {ELSE} | (sets if key[0] == "datasets" else sets | pairs)
        if not isinstance(choice, dict) or set(choice) - known:
            yield (
                key,
                f"reads {shown(choice)}; it maps settings to values: {', '.join(sorted(known))}",
            )
        else:
            for setting in settings:
                try:
                    resolve({PER: choice}, setting)
                except StudyError as error:
                    yield key, str(error)


def _choices(value: Any, key: Key) -> Iterator[tuple[Key, Any]]:  # noqa: ANN401
    inside = enumerate(value) if isinstance(value, list) else ()
    for name, one in value.items() if isinstance(value, dict) else inside:
        if name == PER:
            yield (*key, PER), one
        yield from _choices(one, (*key, name))
