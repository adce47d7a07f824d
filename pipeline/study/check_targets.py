"""Checks of a study's conclusions, before any job: verdict, tables, figures and claims."""

from pipeline.study import outline
from pipeline.study.check_paper import check_paper
from pipeline.study.claim import SETTING, Claim, claim_text, published_text, reference
from pipeline.study.plot_kinds import COORDINATES
from pipeline.study.scale import of_paper
from pipeline.study.schema import Verdict
from pipeline.study.selecting import check_cells, check_where, settings, values
from pipeline.study.slices import has_epsilon
from pipeline.study.strict_yaml import Key, StudyError
from pipeline.study.target import Target
from pipeline.study.validation import Fail, validated
from robustinfo.core.settings import Entry, Outline, diameter

CURVE = "attack_accuracy"  # the diagnostic that may be swept over epsilon


def check_conclusions(study: dict, fail: Fail) -> None:
    """Check that the targets and the claims select rows that the results will have."""
    rows = outline.of_study(study)
    _check_targets(study, rows, fail)
    _check_claims(study, rows, fail)


def check_verdict(study: dict, dimension: int | None, fail: Fail) -> None:
    """Check that the verdict has its twin and, where an attack has an epsilon, a curve.

    dimension: number of values of one image, if known.
    """
    verdict = validated(Verdict, study["verdict"], ("verdict",), fail)
    if verdict.twin not in study["defences"]:
        choices = ", ".join(study["defences"])
        raise fail(("verdict", "twin"), f"no {verdict.twin!r} among {choices}")
    if not any(has_epsilon(entry) for entry in study["attacks"].values()):
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
        _check_curve(name, entry, dimension, fail)


def _check_curve(name: str, entry: Entry, dimension: int | None, fail: Fail) -> None:
    """Check that a curve has several levels, and that the last one may paint any image."""
    from robustinfo.core import registry

    norm = entry.get("norm", "linf")
    if norm != "linf" and dimension is None:
        problem = "has images of unknown size; let its file say `image_shape`, or sweep linf"
        raise fail(
            ("diagnostics", name, "norm"), f"needs the number of their values: the data {problem}"
        )
    huge = diameter(norm, dimension or 1)
    levels = [level for level, _ in registry.sweep(entry) if level is not None]
    if len(levels) < 2 or max(levels) < huge:
        raise fail(
            ("diagnostics", name, "sweep"),
            f"sweeps epsilon over {levels}; the verdict needs several values, up to {huge:g} in "
            f"{norm}, where any image may be painted",
        )


def check_adversaries(study: dict, fail: Fail) -> None:
    """Check that every binarization test is of an attack that is made in the setting."""
    for name, entry in study["diagnostics"].items():
        if entry["method"] != "binarization_test":
            continue
        adversary = entry["adversary"]
        if not any(adversary.items() <= attack.items() for attack in study["attacks"].values()):
            problem = f"speaks of an attack that is none of `attacks`: {adversary}"
            raise fail(("diagnostics", name), problem)


def _check_targets(study: dict, rows: Outline, fail: Fail) -> None:
    for section in ("tables", "figures"):
        for name, content in study[section].items():
            target, key = validated(Target, content, (section, name), fail), (section, name)
            if not name.startswith(f"{section[:-1]}-"):
                raise fail(key, f"must be called {section[:-1]}-...")
            if (target.draw is None) == (section == "figures"):
                raise fail(key, "figures, and only they, say how to `draw`")
            groups = check_where(rows, target.where, (*key, "where"), fail)
            check_cells(groups, [*target.rows, *target.columns], key, fail)
            _check_drawn(target, groups, key, fail)
            check_paper(target, groups, key, fail)


def _check_drawn(target: Target, groups: Outline, key: Key, fail: Fail) -> None:
    """Check that the selected quantities are the coordinates that a plane or scatter draws."""
    quantities = {quantity for group in groups for quantity in values(group, "quantity")}
    if target.draw in COORDINATES and not COORDINATES[target.draw](quantities):
        coordinates = {"plane": "two quantities", "scatter": "the quantities x and y"}[target.draw]
        selected = ", ".join(sorted(quantities))
        raise fail((*key, "where"), f"a {target.draw} draws {coordinates}; this selects {selected}")


def _check_claims(study: dict, rows: Outline, fail: Fail) -> None:
    for name, content in study["claims"].items():
        claim, key = validated(Claim, content, ("claims", name), fail), ("claims", name)
        sides = {"of": check_where(rows, claim.of, (*key, "of"), fail)}
        if claim.against is not None:
            sides["against"] = check_where(rows, claim.against, (*key, "against"), fail)
        shared_settings = set.intersection(*map(settings, sides.values()))
        if not shared_settings:
            raise fail(key, "no data set and network has rows of both `of` and `against`")
        for side, groups in sides.items():
            _check_groups(claim, groups, (*key, side), fail)
            for index, condition in enumerate(claim.alike):
                place, where = (
                    (*key, "alike", index, "where"),
                    condition.for_side(getattr(claim, side)),
                )
                check_where(rows, where, place, fail)
        try:
            claim_text(claim)
        except StudyError as error:
            raise fail((*key, "claim"), str(error)) from None
        named_settings = [dict(zip(SETTING, pair, strict=True)) for pair in shared_settings]
        if claim.published and not any(published_text(claim, names) for names in named_settings):
            problem = (
                f"{claim.paper}.yaml has nothing by {claim.published.key!r} for a setting of it"
            )
            raise fail((*key, "published", "key"), problem)
        for names in named_settings if claim.published else ():
            if published_text(claim, names) and not of_paper(reference(claim), **names):
                problem = (
                    "shows a value of the paper for {dataset}/{model}, of which it has no `scale`"
                )
                raise fail((*key, "published"), problem.format(**names))


def _check_groups(claim: Claim, groups: Outline, key: Key, fail: Fail) -> None:
    """Check that a claim's rows have every column that its statistic is taken over."""
    is_series = claim.statistic == "correlation" or claim.comes_to != "mean"
    columns = {"worst_over": claim.worst_over} | ({"over": claim.over} if is_series else {})
    for name, column in columns.items():
        if column and any(values(group, column) in ((None,), ("",)) for group in groups):
            raise fail(key, f"selects rows without {column}, which `{name}` names")
