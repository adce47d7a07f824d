"""The page on what is regenerated names every result, and every target that it names is there."""

from collections import Counter
from pathlib import Path

import pytest

from pipeline.evidence import coverage, finished_units, plan
from pipeline.evidence.coverage import FULL, PAPERS, SMALL
from pipeline.evidence.target_runs import (
    Result,
    all_runs,
    matching_names,
    runs_of_result,
    runs_of_targets,
)
from pipeline.study.check import load

RESULTS = {  # that the papers' texts name
    "entropic-retraining": 12, "mutual-information": 6, "ib-rar": 13, "uncertainty": 18,
    "one-bit-matters": 9,
}  # fmt: skip


@pytest.mark.docs
def test_the_page_in_the_repository_is_the_one_that_the_studies_make():
    made = coverage.page()
    assert Path("studies/coverage.md").read_text("utf-8") == made, (
        "make it again: python -m pipeline coverage > studies/coverage.md"
    )
    assert all(f"| {one.id} | {one.what} |" in made for p in PAPERS for one in coverage.results(p))


def test_it_has_every_result_once():
    assert {paper: len(coverage.results(paper)) for paper in PAPERS} == RESULTS
    for paper in PAPERS:
        ids = [one.id for one in coverage.results(paper)]
        assert len({*ids}) == len(ids)


@pytest.mark.parametrize("paper", PAPERS)
def test_every_target_that_a_result_names_is_in_the_full_study_and_shows_it(paper):
    targets = runs_of_targets(coverage.study(paper, FULL))
    for one in coverage.results(paper):
        for pattern in one.targets:
            alone = one.model_copy(update={"targets": [pattern]})
            assert runs_of_result(alone, targets), f"{one.id}: {pattern}"
        assert one.targets or one.faithful.startswith("settings"), one.id


@pytest.mark.parametrize("paper", PAPERS)
@pytest.mark.parametrize("end", [FULL, SMALL])
def test_every_table_and_figure_is_of_a_result_or_beyond_the_paper(paper, end):
    study = coverage.study(paper, end)
    shown = [*study["tables"], *study["figures"]]
    own = {name for one in coverage.results(paper) for name in matching_names(one.targets, shown)}
    more = {*matching_names(coverage.beyond(paper), shown)}
    assert own | more == {*shown}, "name it in studies/references/, under `results` or `beyond`"
    assert not own & more
    if end == FULL:
        assert all(matching_names([pattern], shown) for pattern in coverage.beyond(paper))


def result(**more):
    return Result(**{"id": "i", "what": "w", "targets": ["table-*"], "faithful": "yes"} | more)


TARGETS = {
    "table-a": {("mnist", "net"): {"pat", "plain"}, ("cifar10", "net"): {"pat"}},
    "table-b": {("cifar10", "net"): {"plain"}},
    "figure-c": {("", ""): {""}},
}


def test_a_target_counts_only_where_it_shows_the_results_settings_and_defences():
    assert set(runs_of_result(result(), TARGETS)) == {"table-a", "table-b"}
    of_mnist = runs_of_result(result(settings=["mnist/*"]), TARGETS)
    assert of_mnist == {"table-a": {("mnist", "net"): {"pat", "plain"}}}
    of_pat = runs_of_result(result(settings=["cifar10/net"], defences=["pat*"]), TARGETS)
    assert of_pat == {"table-a": {("cifar10", "net"): {"pat"}}}
    assert runs_of_result(result(targets=["figure-c"]), TARGETS) == {"figure-c": {("", ""): {""}}}
    assert all_runs(runs_of_result(result(), TARGETS))["cifar10", "net"] == {"pat", "plain"}


def test_finished_units_of_a_study_are_evidence_of_its_targets_only():
    assert finished_units.summary(result(settings=["mnist/net"]), [(TARGETS, Counter())]) == "-"
    seeds = Counter({("mnist", "net", "pat"): 3, ("cifar10", "net", "plain"): 1})
    told = finished_units.summary(result(), [(TARGETS, seeds)])
    assert told == "mnist/net: pat, 3 seeds; cifar10/net: plain, 1 seed"


PLAN = """
items:
  one:
    because: It is tested.
    study: {study}
    units: [{{dataset: mnist, model: lenet5, defences: [standard], seeds: [0], hours: 1.0}}]
"""
ROWS_ONLY = """
extends: {full}
name: entropic-retraining-rows
settings: [{{dataset: mnist, model: lenet5}}]
distortions: {{"*": null}}
tables: {{"*": null}}
figures: {{"*": null}}
claims:
  "*": null
  control: {{tested: a control, of: &a {{stage: diagnose, defence: continued, entry: clean,
    quantity: accuracy}}, against: {{<<: *a, defence: standard}}, expect: above, threshold: 0.0}}
"""


def test_rows_without_targets_are_evidence_of_the_full_studys_that_show_such_rows(
    tmp_path, monkeypatch
):
    """The rows of a study whose one claim is of no paper, and that distorts nothing."""
    listed, study = tmp_path / "plan.yaml", tmp_path / "rows.yaml"
    listed.write_text(PLAN.format(study=study))
    study.write_text(ROWS_ONLY.format(full=Path("studies/entropic-retraining.yaml").absolute()))
    monkeypatch.setattr(finished_units, "RECORDS", tmp_path)
    full = coverage.study("entropic-retraining", FULL)
    assert finished_units.of_paper("entropic-retraining", full, listed) == []
    for seed in "01":
        unit = tmp_path / f"entropic-retraining-rows/mnist/lenet5/standard/{seed}/unit.json"
        unit.parent.mkdir(parents=True)
        unit.write_text("{}")
    done = finished_units.of_paper("entropic-retraining", full, listed)
    told = {
        one.id: finished_units.summary(one, done) for one in coverage.results("entropic-retraining")
    }
    assert told["table III"] == "mnist/lenet5: standard, 2 seeds"
    assert told["table IV"] == "-"  # of a defence that no unit is of
    ((targets, _),) = done
    assert targets["er_keeps_clean_accuracy"] and not targets["er_keeps_noisy_accuracy"]
    assert finished_units.of_paper("ib-rar", full, listed) == []


def test_a_listed_study_may_be_one_of_the_papers_own():
    names = {one["name"] for one in map(load, {Path(i.study) for i in plan.items().values()})}
    assert all(any(name.startswith(paper) for paper in PAPERS) for name in names)
    assert "mutual-information-small" in names
