"""Remedies in a study: made where a check failed and nowhere else, and told beside the accuracy."""

import pandas as pd
import pytest
import torch
from torch import Tensor

from pipeline.results import rows
from pipeline.results.remedied import attack_lines, read_remedied, with_remedies
from pipeline.results.worst_case import per_image_table
from pipeline.run import load, start
from pipeline.stages import remedies
from pipeline.stages._latex import tex
from robustinfo.maths.statistics import fraction_interval
from robustinfo.training.loop import Images
from tests.evaluation.defects.defect import Before
from tests.evaluation.test_remedies import BALL, N, images, linear, truly_robust
from tests.staged import staged
from tests.test_leaderboard import ranked, verdicts
from tests.test_transfer import NAMES, STUDY

OWN = STUDY.replace("epsilon: 0.5, step_size: 0.1", f"epsilon: {BALL.epsilon}, step_size: 0.01")
BOTH = ["scale_free_losses", "bpda"]


@pytest.fixture
def job(tmp_path, monkeypatch):
    """Of a linear network that hides its gradient; its first image is broken before."""
    x, y = images()
    network = Before(Tensor.detach, linear())
    monkeypatch.setattr(load, "test_images", lambda job: Images(x, y))
    monkeypatch.setattr(remedies, "network_and_term", lambda job: (network, None))
    with staged(tmp_path, OWN) as (study, _):
        made = start.build_job(study, "remedies", NAMES)
        robust = torch.arange(N) > 0
        outcomes = per_image_table({"clean": robust | True, "linf": robust, "attacks": robust})
        for file in made.paths("outcomes"):
            rows.write_table(file, outcomes)
        yield made


def told(job, *failed, norm="linf"):
    """(rows by quantity, per-image table) where these checks failed, and another network's all."""
    names = [*failed, "convergence_gain"]
    results = ["failed"] * len(failed) + ["passed"]
    checks = pd.DataFrame({"check": names, "result": results, "norm": norm} | NAMES)
    others = checks.assign(defence="proxy", check="no_gradient_fraction", result="failed")
    rows.write_table(job.file("checks"), pd.concat([checks, others]).drop(columns="seed"))
    remedies.run(job)
    found = rows.read(job.writes["remedied"])
    return found.set_index("quantity"), rows.read(job.writes["remedied_outcomes"])


def test_what_the_remedies_leave_is_what_is_truly_robust(job):
    found, by_image = told(job, "accuracy_at_huge_epsilon")
    truth = truly_robust() & (torch.arange(N) > 0)
    assert found.value["accuracy_after_remedies"] == pytest.approx(truth.double().mean().item())
    assert found.n["accuracy_after_remedies"] == N and set(found.entry) == {"linf"}
    broken = found.value[[f"broken_by_{name}" for name in BOTH]].sum() * N
    assert round(broken) == int((~truth).sum()) - 1  # the first had been broken before
    assert by_image.correct.tolist() == truth.int().tolist()
    assert by_image.remedy[0] == "" and set(by_image.remedy) <= {"", *BOTH}
    assert (by_image.remedy != "").sum() == round(broken)


@pytest.mark.parametrize("failed, norm", [([], "linf"), (["flat_fraction"], "l2"),
                                          (["clean_accuracy"], "linf")])  # fmt: skip
def test_without_a_failed_check_that_calls_for_one_nothing_is_loaded_and_nothing_told(
    job, monkeypatch, failed, norm
):
    monkeypatch.setattr(remedies, "network_and_term", lambda job: pytest.fail("it was loaded"))
    found, by_image = told(job, *failed, norm=norm)
    assert found.empty and by_image.empty and [*by_image] == remedies.COLUMNS


def test_a_remedy_that_cannot_be_made_is_no_number(job, monkeypatch):
    def refuses(job):
        def network(x):
            if x.requires_grad:
                raise TypeError("no gradients here")
            return linear()(x)

        return Before(lambda x: x, _Calls(network)), None

    monkeypatch.setattr(remedies, "network_and_term", refuses)
    found, _ = told(job, "hidden_fraction")
    assert pd.isna(found.value["broken_by_scale_free_losses"])
    assert found.value["accuracy_after_remedies"] == (N - 1) / N


class _Calls(torch.nn.Module):
    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, x):
        return self.function(x)


def remedied(tmp_path, **left):
    """Of a defence and norm with two seeds: how many of 100 images are left in each."""
    files = []
    for defence, counts in left.items():
        for seed, count in enumerate(counts):
            file = tmp_path / f"{defence}{seed}.csv"
            about = {"stage": "remedies", "entry": "linf", "interval": "fraction", "n": 100}
            values = {"accuracy_after_remedies": (count or 0) / 100, "broken_by_bpda": 0.5}
            lines = [about | {"quantity": name, "value": one} for name, one in values.items()]
            rows.write(file, lines if count is not None else [])
            names = {"dataset": "mnist", "model": "lenet5", "defence": defence, "seed": seed}
            files.append((file, names))
    return read_remedied(files)


VERDICTS = verdicts(
    ("mnist", "lenet5", "honest", "broken", 0.9, 0.5),
    ("mnist", "lenet5", "hidden", "masked", 0.9, 0.8),
)


def test_the_leaderboard_tells_it_beside_robust_accuracy_of_those_that_had_remedies(tmp_path):
    found = remedied(tmp_path, honest=[None], hidden=[20])
    board = ranked(with_remedies(VERDICTS, found))
    assert board.defence.tolist() == ["honest", "hidden"]
    assert pd.isna(board.after_remedies[0]) and board.after_remedies.iloc[1] == 0.2
    own = board.iloc[1]
    assert (own.after_low, own.after_high) == pytest.approx(fraction_interval(20, 100))
    text = tex(board)
    assert "after remedies (\\%)" in text and "& 20.0 (" in text
    (line,) = attack_lines(found)
    assert (line["attack"], line["value"], line["n"]) == ("after remedies in linf", 0.2, 100)


def test_over_seeds_it_is_the_mean(tmp_path):
    found = remedied(tmp_path, hidden=[20, 40])
    assert found.ours.tolist() == [pytest.approx(0.3)]
    assert found.low[0] < 0.2 and found.high[0] > 0.4


def test_where_nobody_had_remedies_the_board_is_as_it_was(tmp_path):
    assert with_remedies(VERDICTS, remedied(tmp_path, honest=[None])).equals(VERDICTS)
    assert "after" not in tex(ranked(VERDICTS))
