"""What a person sees of a run."""

import json
import logging

from snakemake_interface_logger_plugins.common import LogEvent

from pipeline.results.summary import summary
from pipeline.run.driver_progress import Progress, show_progress


class Clock:
    seconds = 0.0

    def __call__(self):
        return self.seconds


def record(event, **values):
    made = logging.LogRecord("snakemake", logging.INFO, __file__, 1, "engine text", None, None)
    vars(made).update(event=event, **values)
    return made


def started(number, stage):
    return record(LogEvent.JOB_INFO, jobid=number, rule_name=stage)


def finished(number):
    return record(LogEvent.JOB_FINISHED, job_id=number)


def test_a_line_per_stage_with_percentage_and_time_left():
    lines, clock = [], Clock()
    progress = Progress(lines.append, clock)
    stats = {"pretrain": 2, "attack": 5, "report": 1, "total": 8}
    progress.emit(record(LogEvent.RUN_INFO, stats=stats))
    for number in (1, 2):
        progress.emit(started(number, "pretrain"))
    clock.seconds = 50
    progress.emit(finished(1))
    assert not lines  # of the stage's two jobs one is done
    clock.seconds = 190
    progress.emit(finished(2))
    # six jobs are left, each of two minutes as far as is known, and two run at once
    assert lines == [" 25%  pretrain: 2 jobs   about 6 min left"]
    for number in range(3, 8):
        progress.emit(started(number, "attack"))
        clock.seconds += 10
        progress.emit(finished(number))
    progress.emit(started(8, "report"))
    progress.emit(finished(8))
    assert lines[1].startswith(" 88%  attack: 5 jobs")
    assert lines[2] == "100%  report: 1 job"


def test_a_stage_of_many_jobs_does_not_keep_silent():
    lines, clock = [], Clock()
    progress = Progress(lines.append, clock)
    progress.emit(record(LogEvent.RUN_INFO, stats={"attack": 20, "total": 20}))
    for number in range(1, 20):
        progress.emit(started(number, "attack"))
        clock.seconds += 25
        progress.emit(finished(number))
    assert [line.split("   ")[0] for line in lines[:2]] == [
        " 15%  3 of 20 jobs", " 30%  6 of 20 jobs"
    ]  # fmt: skip
    assert len(lines) == 6


def test_the_engine_text_is_not_shown_and_errors_are(capsys):
    logger = logging.Logger("a run")
    shown = []
    screen = logging.Handler()
    screen.name, screen.emit = "DefaultStreamHandler", shown.append
    log = logging.Handler()
    kept = []
    log.emit = kept.append
    logger.addHandler(screen)
    logger.addHandler(log)
    show_progress(logger)
    for event in (LogEvent.RUN_INFO, LogEvent.SHELLCMD):
        logger.handle(record(event, stats={"report": 1, "total": 1}))
    logger.handle(started(1, "report"))
    logger.handle(record(LogEvent.JOB_ERROR))
    logger.info("Building DAG of jobs...")
    logger.warning("a warning")
    logger.handle(finished(1))
    assert [one.levelno for one in shown] == [logging.INFO, logging.WARNING]
    assert vars(shown[0])["event"] == LogEvent.JOB_ERROR
    assert len(kept) == 7
    assert capsys.readouterr().out == "100%  report: 1 job\n"


def test_the_end_is_the_leaderboard_and_where_to_look(tmp_path):
    assert summary(tmp_path) == ""  # of targets that make none
    row = {
        "dataset": "digits", "model": "lenet5", "defence": "plain", "norm": "linf", "epsilon": 0.15,
        "robust_accuracy": 0.25, "low": 0.2, "high": 0.3, "clean_accuracy": 0.9,
        "verdict": "broken",
    }  # fmt: skip
    (tmp_path / "leaderboard.json").write_text(json.dumps([row, row | {"norm": "l2"}]))
    lines = summary(tmp_path).splitlines()
    assert lines[1] == "digits, lenet5, linf 0.15: robust accuracy (95 %), clean accuracy, verdict"
    assert lines[2].split() == ["plain", "25.0%", "(20.0", "to", "30.0)", "90.0%", "broken"]
    assert lines[4].startswith("digits, lenet5, l2 0.15")
    assert lines[-1] == f"report: {tmp_path}/report.html"


def test_a_defence_that_was_not_trained_has_hyphens(tmp_path):
    unknown = dict.fromkeys(("robust_accuracy", "low", "high", "clean_accuracy"))
    row = {"dataset": "digits", "model": "lenet5", "norm": "linf", "epsilon": 0.15}
    row |= {"defence": "deep", "verdict": "untrained"} | unknown
    (tmp_path / "leaderboard.json").write_text(json.dumps([row]))
    assert summary(tmp_path).splitlines()[2].split() == ["deep", "-", "-", "untrained"]
