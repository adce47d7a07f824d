"""What a person sees of a run: a line per stage, and a minute, with percentage and time left.

Snakemake's own text, of every job, goes to its log (.snakemake/log/); ``--verbose`` shows it.
"""

import logging
import time
from collections import Counter, defaultdict
from collections.abc import Callable

from snakemake_interface_logger_plugins.common import LogEvent

# What Snakemake says of every job, of how it counts them, and of itself.
ENGINE_TEXT = {
    LogEvent.JOB_INFO,
    LogEvent.JOB_STARTED,
    LogEvent.JOB_FINISHED,
    LogEvent.GROUP_INFO,
    LogEvent.SHELLCMD,
    LogEvent.RESOURCES_INFO,
    LogEvent.WORKFLOW_STARTED,
    LogEvent.RUN_INFO,
    LogEvent.PROGRESS,
}


SILENCE = 60  # seconds without a line, after which the next finished job gets one


class Progress(logging.Handler):
    """Reads Snakemake's records; writes a line when the last job of a stage is done, or in time."""

    def __init__(
        self, write: Callable[[str], None], clock: Callable[[], float] = time.monotonic
    ) -> None:
        """write: of a line. clock: seconds."""
        super().__init__()
        self._write, self._clock = write, clock
        self._total: Counter[str] = Counter()  # jobs by stage
        self._done: Counter[str] = Counter()
        self._seconds: dict[str, float] = defaultdict(float)  # of the jobs that are done, by stage
        self._running: dict[int, tuple[str, float]] = {}  # stage and start by Snakemake's number
        self._cores = 1  # the most jobs that ran at once
        self._last_line = clock()

    def emit(self, record: logging.LogRecord) -> None:
        """Take in one record."""
        event = getattr(record, "event", None)
        if event == LogEvent.RUN_INFO:
            self._total = Counter(vars(record)["stats"])
            del self._total["total"]
        elif event == LogEvent.JOB_INFO:
            of_job = vars(record)
            self._running[of_job["jobid"]] = (of_job["rule_name"], self._clock())
            self._cores = max(self._cores, len(self._running))
        elif event == LogEvent.JOB_FINISHED and vars(record)["job_id"] in self._running:
            stage, began = self._running.pop(vars(record)["job_id"])
            self._done[stage] += 1
            self._seconds[stage] += self._clock() - began
            if self._done[stage] == self._total[stage]:
                self._say(f"{stage}: {self._total[stage]} job{'s' * (self._total[stage] > 1)}")
            elif self._clock() - self._last_line >= SILENCE:
                self._say(f"{self._done.total()} of {self._total.total()} jobs")

    def _say(self, what: str) -> None:
        """Write a line, with percentage and time left."""
        done, total = self._done.total(), self._total.total()
        left = f"   {_duration(self._seconds_left())} left" if done < total else ""
        self._write(f"{done / total:4.0%}  {what}{left}")
        self._last_line = self._clock()

    def _seconds_left(self) -> float:
        """By the mean of a stage's jobs so far, or of all jobs where none of a stage is done."""
        mean = sum(self._seconds.values()) / self._done.total()
        left = 0.0
        for stage, total in self._total.items():
            done = self._done[stage]
            left += (total - done) * (self._seconds[stage] / done if done else mean)
        return left / self._cores


def show_progress(logger: logging.Logger) -> None:
    """Show lines of progress instead of Snakemake's text; warnings and errors stay.

    logger: Snakemake's own.
    """
    for handler in logger.handlers:
        if handler.name == "DefaultStreamHandler":
            handler.addFilter(_is_no_engine_text)
    logger.addHandler(Progress(lambda line: print(line, flush=True)))


def _is_no_engine_text(record: logging.LogRecord) -> bool:
    event = getattr(record, "event", None)
    return event not in ENGINE_TEXT and (event is not None or record.levelno >= logging.WARNING)


def _duration(seconds: float) -> str:
    """Roughly, for a person: ``about 3 min``."""
    if seconds < 50:
        return "less than a minute"
    minutes = round(seconds / 60)
    return f"about {minutes} min" if minutes < 100 else f"about {minutes / 60:.0f} h"
