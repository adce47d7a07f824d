"""What a study concludes, checked before any job: verdict, tables, figures and claims."""

from pipeline.study import outline
from pipeline.study.claim import SETTING, Claim, published, reference, text_of
from pipeline.study.drawn import COORDINATES
from pipeline.study.published import check_paper
from pipeline.study.scale import of_paper
from pipeline.study.schema import Verdict
from pipeline.study.selecting import check_cells, check_where, settings, values
from pipeline.study.slices import bounded
from pipeline.study.strict_yaml import Key, StudyError
from pipeline.study.target import Target
from pipeline.study.validation import Fail, validated
from robustinfo.core.settings import Entry, Outline, diameter

CURVE = "attack_accuracy"  # the diagnostic that may be swept over epsilon


def check_conclusions(study: dict, fail: Fail) -> None:
    """The targets and the claims ask for rows that the results will have."""
    rows = outline.of_study(study)
    _check_targets(study, rows, fail)
    _check_claims(study, rows, fail)


def check_verdict(study: dict, values: int | None, fail: Fail) -> None:
    """The verdict in one setting has its twin and, where an attack has an epsilon, a curve.

    values: of one image, if known.
    """
    verdict = validated(Verdict, study["verdict"], ("verdict",), fail)
    if verdict.twin not in study["defences"]:
        choices = ", ".join(study["defences"])
        raise fail(("verdict", "twin"), f"no {verdict.twin!r} among {choices}")
    if not any(bounded(entry) for entry in study["attacks"].values()):
        return  # without a threat model there is nothing to judge
    curves = {
        name: entry
        for name, entry in study["diagnostics"].items()
        if entry["method"] == CURVE and "epsilon" in entry.get("sweep", {})
    }
    if not curves:
        problem = f"the verdict needs one of the method {CURVE} that sweeps epsilon"
        raise fail(("diagnostics",), problem)
    for name, entry in curves.items():
        _check_curve(name, entry, values, fail)


def _check_curve(name: str, entry: Entry, values: int | None, fail: Fail) -> None:
    """It has several levels, and the last one may paint any image."""
    from robustinfo.core import registry

    norm = entry.get("norm", "linf")
    if norm == "l2" and values is None:
        told = "has images of unknown size; let its file say `image_shape`, or sweep linf"
        raise fail(
            ("diagnostics", name, "norm"), f"needs the root of their values: the data {told}"
        )
    huge = diameter(norm, values or 1)
    levels = [level for level, _ in registry.sweep(entry) if level is not None]
    if len(levels) < 2 or max(levels) < huge:
        raise fail(
            ("diagnostics", name, "sweep"),
            f"sweeps epsilon over {levels}; the verdict needs several values, up to {huge:g} in "
            f"{norm}, where any image may be painted",
        )


def check_tested(study: dict, fail: Fail) -> None:
    """What the verdict is told of attacks, in one setting, is of attacks that are made there."""
    for name, entry in study["diagnostics"].items():
        if entry["method"] != "binarization_test":
            continue
        asked = entry["adversary"]
        if not any(asked.items() <= one.items() for one in study["attacks"].values()):
            problem = f"speaks of an attack that is none of `attacks`: {asked}"
            raise fail(("diagnostics", name), problem)


def _check_targets(study: dict, rows: Outline, fail: Fail) -> None:
    for section in ("tables", "figures"):
        for name, content in study[section].items():
            target, key = validated(Target, content, (section, name), fail), (section, name)
            if not name.startswith(f"{section[:-1]}-"):
                raise fail(key, f"must be called {section[:-1]}-...")
            if (target.draw is None) == (section == "figures"):
                raise fail(key, "figures, and only they, say how to `draw`")
            found = check_where(rows, target.where, (*key, "where"), fail)
            check_cells(found, [*target.rows, *target.columns], key, fail)
            _check_drawn(target, found, key, fail)
            check_paper(target, found, key, fail)


def _check_drawn(target: Target, found: Outline, key: Key, fail: Fail) -> None:
    """A picture of points has as many coordinates as it draws."""
    quantities = {one for group in found for one in values(group, "quantity")}
    if target.draw in COORDINATES and not COORDINATES[target.draw](quantities):
        said = {"plane": "two quantities", "scatter": "the quantities x and y"}[target.draw]
        there = ", ".join(sorted(quantities))
        raise fail((*key, "where"), f"a {target.draw} draws {said}; this selects {there}")


def _check_claims(study: dict, rows: Outline, fail: Fail) -> None:
    for name, content in study["claims"].items():
        claim, key = validated(Claim, content, ("claims", name), fail), ("claims", name)
        sides = {"of": check_where(rows, claim.of, (*key, "of"), fail)}
        if claim.against is not None:
            sides["against"] = check_where(rows, claim.against, (*key, "against"), fail)
        spoken_of = set.intersection(*map(settings, sides.values()))
        if not spoken_of:
            raise fail(key, "no data set and network has rows of both `of` and `against`")
        for side, found in sides.items():
            _check_groups(claim, found, (*key, side), fail)
            for index, one in enumerate(claim.alike):
                place, where = (*key, "alike", index, "where"), one.of_side(getattr(claim, side))
                check_where(rows, where, place, fail)
        try:
            text_of(claim)
        except StudyError as error:
            raise fail((*key, "claim"), str(error)) from None
        pairs = [dict(zip(SETTING, pair, strict=True)) for pair in spoken_of]
        if claim.published and not any(published(claim, names) for names in pairs):
            said = f"{claim.paper}.yaml has nothing by {claim.published.key!r} for a setting of it"
            raise fail((*key, "published", "key"), said)
        for names in pairs if claim.published else ():
            if published(claim, names) and not of_paper(reference(claim), **names):
                said = (
                    "shows a value of the paper for {dataset}/{model}, of which it has no `scale`"
                )
                raise fail((*key, "published"), said.format(**names))


def _check_groups(claim: Claim, found: Outline, key: Key, fail: Fail) -> None:
    """What a claim is taken over is a column that its rows have."""
    series = claim.statistic == "correlation" or claim.comes_to != "mean"
    over = {"worst_over": claim.worst_over} | ({"over": claim.over} if series else {})
    for name, column in over.items():
        if column and any(values(one, column) in ((None,), ("",)) for one in found):
            raise fail(key, f"selects rows without {column}, which `{name}` names")
