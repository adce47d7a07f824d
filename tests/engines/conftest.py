"""One small study, run on this machine: what every engine has to agree with."""

import shutil
from pathlib import Path

import pytest

from tests.checkouts import DVC, SNAKEMAKE, commit_all, copy_tree, run
from tests.engines.tree import branched

STUDY = Path(__file__).with_name("mini.yaml")


def pytest_collection_modifyitems(items):
    """All of this folder start a real server."""
    for item in items:
        if item.path.parent.name == "engines":
            item.add_marker(pytest.mark.engines)
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def fresh(tmp_path_factory):
    """A checkout in which nothing was run."""
    folder = tmp_path_factory.mktemp("engines") / "fresh"
    copy_tree(folder)
    shutil.copy(STUDY, folder / "params.yaml")
    run(folder, *DVC, "generate")
    commit_all(folder)
    return folder


@pytest.fixture(scope="session")
def finished(fresh):
    """A checkout of which the study was run by this machine."""
    folder = branched(fresh, "finished")
    run(folder, *SNAKEMAKE, "--cores", "2")
    return folder
