"""Every drawing draws a table of its own kind, and leaves it alone."""

from importlib import import_module
from pathlib import Path
from typing import get_args

import matplotlib as mpl
import pandas as pd
import pytest
from matplotlib.figure import Figure

from pipeline.figures.drawing import DRAWINGS
from pipeline.study.plot_kinds import REQUIREMENTS
from pipeline.study.target import Target

# (rows, columns) of a target, and the cells of its table; of a file not named here, a heat map's.
PLANE = [f"a / b / fc / {epoch}" for epoch in (1, 2)]
SHAPES = {
    "curves": (["entry"], ["epoch"], [(row, epoch) for row in "ab" for epoch in ("1", "2")]),
    "heatmap": (["entry"], ["defence"], [(row, column) for row in "ab" for column in "cd"]),
    "deviations": (
        ["input", "entry"],
        ["level"],
        [(f"a / {row}", x) for row in "ab" for x in "12"],
    ),
    "plane": (
        ["entry", "defence", "layer", "epoch"],
        ["quantity"],
        [(row, column) for row in PLANE for column in ("i_x", "i_y")],
    ),
    "scatter": (
        ["input", "layer"],
        ["quantity"],
        [(f"a / class {k}, point 1", axis) for k in (0, 1) for axis in "xy"],
    ),
    "surface": (
        ["entry", "level"],
        ["level"],
        [(f"a / {y}", x) for y in ("-1", "0", "1") for x in ("-1", "0", "1")],
    ),
}
FILES = sorted(file.stem for file in Path("pipeline/figures").glob("[!_]*.py"))
NAMES = [name for name in FILES if name not in ("drawing", "gallery", "saving")]


@pytest.mark.parametrize("name", NAMES)
def test_a_drawing_draws_its_table_and_leaves_it_alone(name):
    module = import_module(f"pipeline.figures.{name}")
    assert len(module.__doc__.split()) > 8, "say how it is read"
    rows, columns, cells = SHAPES.get(name, SHAPES["heatmap"])
    values = [
        (*cell, float(n), n - 0.5, n + 0.5, False, "", 2, f"{n} {n}")
        for n, cell in enumerate(cells)
    ]
    names = ["row", "column", "ours", "low", "high", "saturated", "unit", "seeds", "by_seed"]
    table = pd.DataFrame(values, columns=names)
    kept, settings = table.copy(), dict(mpl.rcParams)
    target = Target(title="t", rows=rows, columns=columns, where={}, x_label="share")
    figure = module.draw(table, target)
    assert isinstance(figure, Figure), "draw returns a Figure"
    assert any(axis.has_data() for axis in figure.axes), "it draws something"
    assert table.equals(kept), "the table is left alone"
    assert dict(mpl.rcParams) == settings, "matplotlib's settings are left alone"


def test_what_a_study_may_draw_is_said_alike_in_all_places():
    drawn = get_args(get_args(Target.model_fields["draw"].annotation)[0])
    assert {*DRAWINGS} == {*REQUIREMENTS} == {*drawn}
    assert {*SHAPES} <= {*DRAWINGS} <= {*NAMES}
