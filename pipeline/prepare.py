"""Stage prepare: one data set, made once under the data root, and its description as a result.

writes  results/{study}/{dataset}/data.json: classes, counts, shape and sha256 of each split.
The images themselves stay under the data root, outside the versioned results.
"""

import json

from pipeline import paths
from pipeline.stage import Job, main
from robustinfo.datasets._prepared import data_root, prepare
from robustinfo.files import whole


def run(job: Job) -> None:
    """Prepare both splits if they are not there yet, check them, describe them."""
    manifest = prepare(job.names["dataset"], job.params["dataset"], data_root())
    with whole(job.path(paths.DATA)) as partial:
        partial.write_text(json.dumps(manifest, indent=2) + "\n")


if __name__ == "__main__":
    main(run, "prepare")
