"""What the rules ask about a study: which files a job reads, and which part of the study."""

from collections.abc import Callable
from typing import Any

from pipeline.run import code as closure
from pipeline.run import paths
from pipeline.study import slices

Study = dict[str, Any]


def code(study: Study, stage: str) -> Callable[[Any], str]:
    """Parameter function: the digest of what a job of the stage computes (``code.digest``)."""
    return lambda wildcards: closure.digest(stage, used(study, stage)(wildcards))


def used(study: Study, stage: str) -> Callable[[Any], dict]:
    """Parameter function: the only part of the study that a job of the stage may read."""
    return lambda wildcards: slices.slices(study, stage, dict(wildcards.items()))


def runs(study: Study) -> Callable[[Any], list[str]]:
    """Input function: all tables of one network on one data set."""

    def files(wildcards: Any) -> list[str]:  # noqa: ANN401
        own = slices.in_setting(study, _setting(wildcards))
        found = [
            one.format(**wildcards, defence=defence, seed=seed)
            for defence in own["defences"]
            for one in paths.tables(own, defence)
            for seed in own["seeds"]
        ]
        if _setting(wildcards) in own["selection"]["settings"]:
            found.append(paths.SELECTED.format(**wildcards))
        return found

    return files


def outcomes(study: Study) -> Callable[[Any], list[str]]:
    """Input function: per image, what every network of one setting leaves standing."""

    def files(wildcards: Any) -> list[str]:  # noqa: ANN401
        own = slices.in_setting(study, _setting(wildcards))
        return [
            paths.outcomes(own, defence).format(**wildcards, defence=defence, seed=seed)
            for defence in own["defences"]
            for seed in own["seeds"]
        ]

    return files


def screened(study: Study) -> Callable[[Any], list[str]]:
    """Input function: the files of every network that the selection compares."""

    def files(wildcards: Any) -> list[str]:  # noqa: ANN401
        there = slices.in_setting(study, _setting(wildcards))["defences"]
        return [
            paths.SCREENED.format(**wildcards, defence=defence, seed=seed)
            for defence in study["selection"]["compared"]
            if defence in there
            for seed in study["seeds"]
        ]

    return files


def attacks(study: Study, template: str) -> Callable[[Any], list[str]]:
    """Input function: the files of every attack on one run."""
    return lambda wildcards: [
        one.format(**wildcards)
        for one in paths.each(template, slices.in_setting(study, _setting(wildcards)))
    ]


def proxy(study: Study, template: str) -> Callable[[Any], list[str]]:
    """Input function: the files of every attack on the proxy of one run."""

    def files(wildcards: Any) -> list[str]:  # noqa: ANN401
        names = {one["defence"]: one["proxy"] for one in study["transfers"]}
        return [
            one.format(**dict(wildcards.items()) | {"defence": names[wildcards.defence]})
            for one in paths.each(template, slices.in_setting(study, _setting(wildcards)))
        ]

    return files


def pictured(study: Study) -> Callable[[Any], list[str]]:
    """Input function: the networks of the first seed, and every attack on them, of one setting."""

    def files(wildcards: Any) -> list[str]:  # noqa: ANN401
        own = slices.in_setting(study, _setting(wildcards))
        return [
            one.format(**wildcards, defence=defence, seed=own["seeds"][0])
            for defence in own["defences"]
            for template in (paths.MODEL, paths.EXAMPLES, paths.ATTACK)
            for one in paths.each(template, own)
        ]

    return files


def _setting(wildcards: Any) -> dict[str, str]:  # noqa: ANN401
    return {name: wildcards[name] for name in ("dataset", "model")}


def results(study: Study) -> list[str]:
    """The collected results: one file per pair of data set and network, and per toy."""
    toys = [paths.TOY.format(study=study["name"], toy=toy) for toy in study["toys"]]
    return settings(study, paths.RESULTS) + toys


def settings(study: Study, template: str) -> list[str]:
    """One file per pair of data set and network."""
    return [template.format(study=study["name"], **pair) for pair in study["settings"]]


def targets(study: Study, template: str, section: str) -> list[str]:
    """The files of every table or figure."""
    return [template.format(study=study["name"], target=name) for name in study[section]]
