"""Checks of networks that a study did not train, and of attacks that several jobs make."""

from pathlib import Path
from typing import Any

from pipeline.study import external
from pipeline.study.slices import TRAININGS
from pipeline.study.validation import Fail, validated
from robustinfo.evaluation import sources

_UNKNOWN = (
    "which was not trained here; leave it out, or write null for one of the two in this setting"
)
SERVED = ("http://", "https://")  # answers, and no gradients for attacks to follow


def check_external(study: dict[str, Any], fail: Fail) -> None:
    """Check the networks that the study did not train, and that nothing here would train them."""
    others = external.names(study)
    for name in others:
        entry = study["defences"][name]
        if "method" in entry:
            problem = "names a network that was trained elsewhere, and so no `method`"
            raise fail(("defences", name, "method"), problem)
        text = validated(external.External, entry, ("defences", name), fail).network
        if text.startswith(SERVED) or (":" not in text and not Path(text).suffix):
            forms = [form for form in sources.FORMS if not form.startswith(SERVED)]
            problem = f"{text!r} names no network of a study; write one of: {', '.join(forms)}"
            raise fail(("defences", name, external.NETWORK), problem)
        for section in TRAININGS:
            if name in study[section]:
                problem = "is not trained here: `defences` names its network"
                raise fail((section, name), problem)
    selecting = [name for name in study["selection"]["compared"] if name in others]
    if selecting:
        problem = f"{selecting[0]} is not trained here, and so not on one layer after the other"
        raise fail(("selection", "compared"), problem)
    for name in study["learning"] if others else ():
        raise fail(("learning", name), f"trains networks like {others[0]}, {_UNKNOWN}")
    if others and study["training_measure"] is not None:
        problem = f"is of the images that {others[0]} was trained on, {_UNKNOWN}"
        raise fail(("training_measure",), problem)


def check_images_per_job(study: dict[str, Any], fail: Fail) -> None:
    """Check that the number of jobs of an attack is known before any of them runs."""
    if study["images_per_job"] is not None and study["evaluation_images"] is None:
        problem = "asks for jobs before the test images are counted; say `evaluation_images`, too"
        raise fail(("images_per_job",), problem)
