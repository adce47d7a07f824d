"""What a study concludes, checked before any job: verdict, tables, figures and claims."""

from collections.abc import Callable

from pipeline.slices import KINDS, bounded
from pipeline.strict_yaml import Key, StudyError
from pipeline.validation import Fail, validated
from robustinfo.settings import diameter

# What may stand in the column ``stage`` of the results.
STAGES = {
    "data", "train", "select", "attack", "measure", "complexity", "distort", "diagnose", "learn",
    "transfer", "toy",
}  # fmt: skip

Selects = Callable[[dict, Key], None]  # raises if a filter asks for what is not there


def check_conclusions(study: dict, fail: Fail) -> None:
    """The targets and the claims ask for what the study has; its ``per`` play no part."""
    there = {
        "dataset": {*study["datasets"]},
        "model": {*study["models"]},
        "defence": {*study["defences"]},
        "seed": {*study["seeds"]},
        "stage": STAGES,
        "entry": {"", "clean", "attacks"}.union(*(study[section] for section in KINDS)),
        "input": {"", "clean", *study["attacks"], *study["snapshot_attacks"], *study["defences"]},
    }

    def selects(where: dict, key: Key) -> None:
        for column, wanted in where.items():
            if column == "input" and where.get("stage") == "toy":
                continue  # a toy names its own
            for value in wanted if isinstance(wanted, list) else [wanted]:
                if column in there and value not in there[column]:
                    choices = ", ".join(sorted(map(str, there[column] - {""})))
                    raise fail((*key, column), f"no {value!r} among {choices}")

    _check_targets(study, selects, fail)
    _check_claims(study, selects, fail)


def check_verdict(study: dict, values: int | None, fail: Fail) -> None:
    """The verdict in one setting has its twin and, where an attack has an epsilon, its curve.

    values: of one image, if known.
    """
    from robustinfo import catalogue
    from robustinfo.judging import Thresholds

    thresholds = validated(Thresholds, study["verdict"], ("verdict",), fail)
    if thresholds.twin not in study["defences"]:
        choices = ", ".join(study["defences"])
        raise fail(("verdict", "twin"), f"no {thresholds.twin!r} among {choices}")
    if not any(bounded(entry) for entry in study["attacks"].values()):
        return  # without a threat model there is nothing to judge
    name = thresholds.epsilon_curve
    curve = study["diagnostics"].get(name, {})
    norm = curve.get("norm", "linf")
    if norm == "l2" and values is None:
        said = "has images of unknown size; let its file say `image_shape`, or sweep linf"
        raise fail(
            ("diagnostics", name, "norm"), f"needs the root of their values: the data {said}"
        )
    huge = diameter(norm, values or 1)
    swept = "epsilon" in curve.get("sweep", {})
    levels = [level for level, _ in catalogue.sweep(curve)] if swept else []
    if len(levels) < 2 or max(levels) < huge:
        raise fail(
            ("verdict", "epsilon_curve"),
            f"needs a diagnostic {name!r} that sweeps epsilon over several values, up to "
            f"{huge:g} in {norm}, where any image may be painted; it has {levels}",
        )


def check_tested(study: dict, fail: Fail) -> None:
    """What the verdict is told of attacks, in one setting, is of attacks that are made there."""
    for name, entry in study["diagnostics"].items():
        if entry["method"] == "planted":
            asked = entry["adversary"]
        elif entry["method"] == "doubled":
            asked = entry | {"method": "pgd"}
        else:
            continue
        if not any(asked.items() <= one.items() for one in study["attacks"].values()):
            problem = f"speaks of an attack that is none of `attacks`: {asked}"
            raise fail(("diagnostics", name), problem)


def _check_targets(study: dict, selects: Selects, fail: Fail) -> None:
    from pipeline.tables import Target

    for section in ("tables", "figures"):
        for name, content in study[section].items():
            target = validated(Target, content, (section, name), fail)
            selects(target.where, (section, name, "where"))
            if not name.startswith(f"{section[:-1]}-"):
                raise fail((section, name), f"must be called {section[:-1]}-...")
            if (target.draw is None) == (section == "figures"):
                raise fail((section, name), "figures, and only they, say how to `draw`")


def _check_claims(study: dict, selects: Selects, fail: Fail) -> None:
    from pipeline.claim import Claim
    from pipeline.claims import text_of

    for name, content in study["claims"].items():
        claim = validated(Claim, content, ("claims", name), fail)
        selects(claim.of, ("claims", name, "of"))
        if claim.against is not None:
            selects(claim.against, ("claims", name, "against"))
        try:
            text_of(claim)
        except StudyError as error:
            raise fail(("claims", name, "claim"), str(error)) from None
