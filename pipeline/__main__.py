"""``python -m pipeline VERB ...``: everything that the pipeline does, by one command.

``stage`` runs one job, by the same text for every engine. Where the driver has started a server
(job_server.py), a fork of it, which has torch, runs the job. Anywhere else, as under DVC or on a
cluster, this process imports what the job needs and runs it. So nothing is imported here that the
verb does not need.
"""

import sys
from importlib import import_module

from pipeline.run import job_client

# {verb: (function that takes the arguments after it, what it does)}
VERBS = {
    "stage": ("pipeline.run.start:start", "NAME --study FILE ...: run one job"),
    "check": ("pipeline.study.commands:check", "FILE: check a study wholly, before any job"),
    "resolve": (
        "pipeline.study.commands:resolve",
        "FILE [--setting DATASET/MODEL]: print a study with all that it inherits and leaves out",
    ),
    "schema": (
        "pipeline.study.json_schema:main",
        "print the JSON schema of studies, for editors: > studies/schema.json",
    ),
    "reference": (
        "pipeline.report.reference.page:main",
        "print the page of all that a study and its results hold: > docs/reference.md",
    ),
    "new": (
        "pipeline.study.new:main",
        "attack|defence|measure|diagnostic|dataset|figure NAME: write a file for one more",
    ),
    "dvc": (
        "pipeline.tracking.dvc:main",
        "generate|record|adopt: write dvc.yaml; keep DVC's record and Snakemake's in step",
    ),
    "mlflow": (
        "pipeline.tracking.mlflow_show:main",
        "[--study FILE]: show the finished runs of a study in MLflow",
    ),
    "evidence": (
        "pipeline.evidence.commands:main",
        "run|status|stop|page|...: trainings that take long, in the background",
    ),
    "coverage": (
        "pipeline.evidence.coverage:main",
        "print which results of the papers are regenerated: > studies/coverage.md",
    ),
}


def main() -> None:
    """Run the verb that the command line names; a known error ends it with one line."""
    verb, *arguments = sys.argv[1:] or ["--help"]
    if verb in ("-h", "--help"):
        print(usage())
    elif verb not in VERBS:
        from pipeline.study.validation import suggestion

        sys.exit(f"error: no verb {verb!r}{suggestion(verb, VERBS)}")
    elif verb == "stage":
        _run_job(arguments)
    else:
        from robustinfo.core.errors import UserError, message_lines

        try:
            _handler(verb)(arguments)
        except UserError as error:
            sys.exit(f"error: {message_lines(str(error))}")


def usage() -> str:
    """Help text: a line per verb."""
    lines = [f"  {verb:10} {description}" for verb, (_, description) in VERBS.items()]
    return "\n".join(["usage: python -m pipeline VERB ...", "", *lines])


def _run_job(arguments: list[str]) -> None:
    """Run the job here or on the job server, and end with its exit status."""
    if not arguments:
        sys.exit("usage: python -m pipeline stage NAME --study FILE ...")
    status = job_client.run_on_server(arguments)
    if status is not None:
        job_client.end_like(status)
    _handler("stage")(arguments)


def _handler(verb: str):  # noqa: ANN202 - typing would cost every job
    module, _, name = VERBS[verb][0].partition(":")
    return getattr(import_module(module), name)


if __name__ == "__main__":
    main()
