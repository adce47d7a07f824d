"""``python -m pipeline stage NAME --study FILE ...``: one job, the same text for every engine.

Where the driver has started a server (serving.py), a fork of it, which has torch, runs the job.
Anywhere else, as under DVC or on a cluster, this process imports what the job needs and runs it.
"""

import sys

from pipeline.run import served


def main() -> None:
    """Run the job, and end as it ends."""
    words = sys.argv[1:]
    if words[:1] != ["stage"] or len(words) < 2:
        sys.exit("usage: python -m pipeline stage NAME --study FILE ...")
    ended = served.ask(words[1:])
    if ended is not None:
        served.end_like(ended)
    from pipeline.run.start import start

    start(words[1:])


if __name__ == "__main__":
    main()
