"""The notebook runs, and says of each network what stands in it."""

import json
from pathlib import Path

import pytest

NOTEBOOK = Path(__file__).parents[1] / "docs/judge-three-networks.ipynb"


@pytest.mark.slow
def test_the_notebook_finds_what_it_shows():
    cells = json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]
    names: dict = {}
    shown = ""
    for cell in cells:
        if cell["cell_type"] == "code":
            exec(compile("".join(cell["source"]), str(NOTEBOOK), "exec"), names)
            shown += "".join(line for one in cell["outputs"] for line in one["text"])
    evaluations = names["evaluations"]
    assert len(evaluations) == 3
    for name, evaluation in evaluations.items():
        assert f"{name}: {evaluation.verdict}, robust accuracy" in shown
    rounded = evaluations["rounded"]
    assert rounded.verdict == "masked"
    assert rounded.after_remedies.accuracy.high < float(rounded.robust_accuracy)
