"""Stage leaderboard: every defence under one protocol, and the tables behind the overview.

writes  results/{study}/leaderboard.csv, .json, .tex   the verdict's lines by rank, with the
                                                       interval of clean accuracy, what remedies
                                                       leave, and the protocol; of several norms,
                                                       what is robust in each
        results/{study}/overview/attacks.csv           accuracy clean, under each attack, under all
                                                       of each norm and of every norm, and after
                                                       remedies
        results/{study}/overview/epsilon.csv           accuracy by epsilon, and the attack's norm
        results/{study}/overview/information.csv       per run: a measure, and robust accuracy
        results/{study}/overview/correlations.csv      of the two, over the runs
"""

import json
from typing import Any

import pandas as pd

from pipeline.results import rows
from pipeline.results.collected import read_results
from pipeline.results.information_vs_robustness import POINT, correlations, points
from pipeline.results.remedied import attack_lines, read_remedied, with_remedies
from pipeline.results.statistics import select_rows
from pipeline.results.worst_case import attacks_in_scope
from pipeline.run.job import Job
from pipeline.stages._accuracies import (
    ATTACKED,
    SWEPT,
    accuracy_by_attack,
    accuracy_by_epsilon,
)
from pipeline.stages._latex import tex
from pipeline.stages._ranking import SETTING, rank_defences, with_sources, with_unions
from pipeline.study.external import source
from pipeline.study.slices import in_setting
from robustinfo.core.files import atomic_write
from robustinfo.evaluation.display.numbers import pixels
from robustinfo.evaluation.threats import Threat, threat_models

READS = ["results", "verdict", "remedied"]
WRITES = {
    "leaderboard": "leaderboard.csv",
    "leaderboard_json": "leaderboard.json",
    "leaderboard_tex": "leaderboard.tex",
    "accuracy_by_attack": "overview/attacks.csv",
    "accuracy_by_epsilon": "overview/epsilon.csv",
    "information": "overview/information.csv",
    "correlations": "overview/correlations.csv",
}
PARAMS = {
    "defences": "defences",
    "attacks": "attacks",
    "threat": "threat",
    "models": "models",
    "measures": "measures",
    "diagnostics": "diagnostics",
}


def run(job: Job) -> None:
    """Rank the verdicts, write them in three formats, and tabulate the accuracies behind them."""
    results = read_results(job.paths("results"))
    remedied = read_remedied(job.files("remedied"))
    verdicts = rows.read(job.file("verdict"))
    pairs = [tuple(line) for line in verdicts[SETTING].drop_duplicates().itertuples(index=False)]
    settings = [dict(zip(SETTING, pair, strict=True)) for pair in pairs]
    protocols: dict[tuple[str, ...], str] = {}
    sources: dict[tuple[str, ...], str] = {}
    attacked, swept, setting_points = list[Any](), list[Any](), list[Any]()
    for names in settings:
        setting_rows, study = select_rows(results, names), in_setting(job.params, names)
        in_scope = attacks_in_scope(study["attacks"], study["threat"])
        for norm in threat_models(in_scope):
            protocols[*names.values(), norm] = protocol(in_scope, norm)
        sources |= {(*names.values(), name): source(one) for name, one in study["defences"].items()}
        attacked += accuracy_by_attack(setting_rows, study["attacks"], in_scope)
        attacked += attack_lines(select_rows(remedied, names))
        swept += accuracy_by_epsilon(study["diagnostics"], setting_rows)
        setting_points.append(
            points(setting_rows, study["models"][names["model"]], study["measures"])
        )
    ranked = rank_defences(with_remedies(verdicts, remedied), attacked, protocols)
    board = with_sources(with_unions(ranked, attacked), sources)
    rows.write_table(job.writes["leaderboard"], board)
    lines = board.astype(object).where(board.notna(), None).to_dict("records")
    with atomic_write(job.writes["leaderboard_json"]) as partial:
        partial.write_text(json.dumps(lines, indent=2) + "\n")
    with atomic_write(job.writes["leaderboard_tex"]) as partial:
        partial.write_text(tex(board))
    rows.write_table(job.writes["accuracy_by_attack"], pd.DataFrame(attacked, columns=ATTACKED))
    rows.write_table(job.writes["accuracy_by_epsilon"], pd.DataFrame(swept, columns=SWEPT))
    all_points = pd.concat([pd.DataFrame(columns=POINT), *setting_points], ignore_index=True)
    rows.write_table(job.writes["information"], all_points)
    rows.write_table(job.writes["correlations"], correlations(all_points))


def protocol(in_scope: dict[str, Threat], norm: str) -> str:
    """``linf up to 8/255: fgsm, pgd``: the attacks of a norm's threat model."""
    epsilons = {name: threat.epsilon for name, threat in in_scope.items() if threat.norm == norm}
    largest = max(epsilon for epsilon in epsilons.values() if epsilon is not None)
    return f"{norm} up to {pixels(largest)}: {', '.join(epsilons)}"
