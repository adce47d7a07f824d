"""What a drawing shows of a table."""

import pandas as pd

from pipeline.drawing import draw
from pipeline.tables import Target


def table(lines):
    columns = ["row", "column", "ours", "low", "high", "saturated"]
    return pd.DataFrame([(*line, line[2], line[2], False) for line in lines], columns=columns)


def target(kind, rows, columns, **more):
    return Target(title="t", rows=rows, columns=columns, where={}, draw=kind, **more)


def test_points_have_a_panel_per_set_and_a_line_of_dots_per_class():
    lines = [
        (f"{name} / {level} / class {kind}, point {number}", axis, value)
        for name, level in [("spread", 0.1), ("spread", 1.0)]
        for kind, number, point in [(0, 1, (1.0, 2.0)), (1, 2, (3.0, 4.0)), (0, 3, (5.0, 6.0))]
        for axis, value in zip("xy", point, strict=True)
    ]
    figure = draw(table(lines), target("scatter", ["input", "level", "layer"], ["quantity"]))
    panels = [axis for axis in figure.axes if axis.get_visible()]
    assert [axis.get_title() for axis in panels] == ["spread, 0.1", "spread, 1.0"]
    dots = {line.get_label(): line.get_xydata().tolist() for line in panels[0].lines}
    assert dots == {"class 0": [[1.0, 2.0], [5.0, 6.0]], "class 1": [[3.0, 4.0]]}


def test_a_first_row_column_makes_panels_and_x_may_be_logarithmic():
    lines = [(f"{p} / {name}", x, 1.0) for p in "ab" for name in ("nt", "at") for x in (2, 1024)]
    rows = ["entry", "defence"]
    figure = draw(table(lines), target("curves", rows, ["level"], x_scale="log"))
    assert [axis.get_title() for axis in figure.axes] == ["a", "b"]
    assert {axis.get_xscale() for axis in figure.axes} == {"log"}
    assert [line.get_label() for line in figure.axes[0].lines] == ["nt", "at"]
