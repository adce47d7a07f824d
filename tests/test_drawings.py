"""What a drawing shows of a table."""

import math

import pandas as pd
import pytest

from pipeline.figures._canvas import limits, styles
from pipeline.figures.drawing import draw
from pipeline.study.target import Target

QUANTITIES = ("bits_x", "bits_y")


def table(lines):
    columns = ["row", "column", "ours", "low", "high", "saturated", "unit", "seeds", "by_seed"]
    cells = [(*line, line[2], line[2], False, "", 1, f"{line[2]}") for line in lines]
    return pd.DataFrame(cells, columns=columns)


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


def test_a_curve_has_hollow_markers_where_its_estimate_sits_at_its_ceiling():
    full = table([("nt", epoch, float(epoch)) for epoch in range(4)])
    full.loc[full.column >= 2, "saturated"] = True
    (axis,) = draw(full, target("curves", ["defence"], ["epoch"])).axes
    hollow, _ = axis.collections
    assert hollow.get_offsets().tolist() == [[2.0, 2.0], [3.0, 3.0]]
    assert hollow.get_facecolor().tolist() == [[1.0, 1.0, 1.0, 1.0]]
    assert axis.lines[0].get_xdata().tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize("seeds, bands, lines", [(1, 1, 1), (2, 0, 3), (3, 1, 1)])
def test_fewer_than_three_seeds_are_thin_lines_in_place_of_a_band(seeds, bands, lines):
    cells = table([("nt", epoch, float(epoch)) for epoch in range(4)])
    by_seed = [" ".join(f"{value + seed}" for seed in range(seeds)) for value in cells.ours]
    cells = cells.assign(seeds=seeds, by_seed=by_seed)
    (axis,) = draw(cells, target("curves", ["defence"], ["epoch"])).axes
    assert len(axis.collections) == 1 + bands and len(axis.lines) == lines
    thin = [line.get_ydata().tolist() for line in axis.lines[1:]]
    assert thin == [[0.0, 1.0, 2.0, 3.0], [1.0, 2.0, 3.0, 4.0]][: lines - 1]
    assert axis.get_ylim()[1] > max(map(max, thin), default=3.0)


def test_fractions_are_in_percent():
    cells = table([("nt", "pgd", 0.25), ("nt", "clean", 0.9)]).assign(unit="%")
    axis, *_ = draw(cells, target("heatmap", ["defence"], ["entry"])).axes
    assert {text.get_text() for text in axis.texts} == {"25.0", "90.0"}
    curves = table([("nt", 0.0, 0.25), ("nt", 1.0, 0.5)]).assign(unit="%")
    (axis,) = draw(curves, target("curves", ["defence"], ["level"])).axes
    assert axis.yaxis.get_major_formatter()(0.25, 0) == "25.0\u202f%"


def test_a_plane_has_a_panel_per_layer_and_defence_and_hollow_markers_at_the_ceiling():
    lines = [
        (f"{defence} / {source} / {layer} / {epoch}", quantity, epoch + shift)
        for defence in ("nt", "at")
        for source in ("clean", "pgd")
        for layer in ("late", "early")
        for epoch in (0, 5, 10)
        for quantity, shift in zip(QUANTITIES, (1.0, 0.0), strict=True)
    ]
    full = table(
        [*lines, *((f"nt / clean / last / {e}", q, 9.0) for e in (0, 5) for q in QUANTITIES)]
    )
    full.loc[full.row.eq("nt / clean / late / 10") | full.row.str.contains("last"), "saturated"] = (
        True
    )
    rows = ["defence", "input", "layer", "epoch"]
    figure = draw(full, target("plane", rows, ["quantity"], x_label="x"))
    late, *_ = figure.axes
    assert [axis.get_title() for axis in figure.axes[:4]] == [
        "late, nt", "late, at", "early, nt", "early, at",
    ]  # fmt: skip
    assert "throughout: last" in figure.legends[0].get_title().get_text()
    paths = {line.get_label(): line.get_xydata().tolist() for line in late.lines}
    corners = [[1.0, 0.0], [6.0, 5.0], [11.0, 10.0]]
    assert paths == {"clean": corners, "pgd": corners}
    faces = late.collections[0].get_facecolors()
    assert faces[2].tolist() == [1, 1, 1, 1] and faces[0].tolist() != faces[1].tolist()


@pytest.mark.parametrize("values", [(3.0, 3.0 + 1e-12), (0.0, 0.0), (-2.0, math.nan)])
def test_an_axis_does_not_magnify_rounding(values):
    low, high = limits(values)
    assert low < values[0] < high and high - low >= max(0.02 * abs(values[0]), 1e-4)


def test_a_surface_has_a_panel_per_image_with_every_height_in_its_place():
    lines = [
        (f"{defence} / image 0 / {y:g}", f"{x:g}", height)
        for defence, at in [("standard", 0.0), ("pat", 5.0)]
        for y in (0.04, -0.04)  # the order of the results does not matter
        for x, height in [(0.0, at + 10 * y), (-0.04, at + 1 + y), (0.04, at + 2 + y)]
    ]
    rows = ["defence", "layer", "input"]
    figure = draw(table(lines), target("surface", rows, ["level"], x_label="along"))
    panels = figure.axes[:2]
    assert [axis.get_title() for axis in panels] == ["standard, image 0", "pat, image 0"]
    assert panels[0].get_xlabel() == "along"
    meshes = [axis.collections[0] for axis in panels]
    heights = [[0.96, -0.4, 1.96], [1.04, 0.4, 2.04]]  # y, then x, both rising
    assert meshes[0].get_array().tolist() == [pytest.approx(row) for row in heights]
    assert {mesh.get_clim() for mesh in meshes} == {(-0.4, 7.04)}
    assert [round(x, 3) for x in panels[0].get_xlim()] == [-0.06, 0.06]
    assert [len(axis.collections) for axis in panels] == [3, 2]  # only the first has a boundary


def test_a_flat_surface_is_drawn_without_contours():
    lines = [(f"standard / image 0 / {y}", f"{x}", 2.5) for y in (-1, 1) for x in (-1, 1)]
    figure = draw(table(lines), target("surface", ["defence", "layer", "input"], ["level"]))
    assert len(figure.axes[0].collections) == 1


def test_a_heat_map_has_its_rows_and_columns_in_order_and_a_number_per_cell():
    lines = [("nt", "pgd", 0.25), ("at", "pgd", 0.9), ("at", "worst case", 0.0)]
    axis, *_ = draw(table(lines), target("heatmap", ["defence"], ["entry"])).axes
    names = [[label.get_text() for label in labels] for labels in
             (axis.get_xticklabels(), axis.get_yticklabels())]  # fmt: skip
    assert names == [["pgd", "worst case"], ["nt", "at"]]
    cells = {text.get_position(): text.get_text() for text in axis.texts}
    assert cells == {(0.5, 0.5): "0.250", (0.5, 1.5): "0.900", (1.5, 1.5): "0.000"}
    assert axis.get_ylim() == (2.0, 0.0)  # the first row is on top


def test_deviations_have_a_panel_per_first_name_and_say_what_may_be_believed():
    lines = [
        (f"{n} samples / ksg_1 / ", dimension, value)
        for n in (300, 1000)
        for dimension, value in (("1", 0.05), ("30", -0.8))
    ]
    cells = table(lines)
    cells["saturated"] = cells.row.str.startswith("300") & cells.column.eq("30")
    axes = draw(cells, target("deviations", ["input", "entry", "layer"], ["level"])).axes
    assert [axis.get_title() for axis in axes] == ["300 samples", "1000 samples"]
    assert [label.get_text() for label in axes[0].get_yticklabels()] == ["ksg 1"]
    assert [text.get_text() for text in axes[1].texts] == ["+0.05", "-0.80"]
    hatched = [[bool(patch.get_hatch()) for patch in axis.patches] for axis in axes]
    assert [sum(some) for some in hatched] == [1, 0]
    framed = [patch for patch in axes[1].patches if patch.get_width() < 1]
    assert [(patch.get_x(), patch.get_y()) for patch in framed] == [(0.05, 0.05)]


def test_64_names_are_told_apart():
    assert len(set(styles(map(str, range(64))).values())) == 64


def test_a_class_of_points_has_one_colour_and_marker_in_all_panels():
    lines = [
        (f"{panel} / {kind}, seed 0", axis, 1.0)
        for panel, kinds in {"a": ("nt", "at"), "b": ("at",)}.items()
        for kind in kinds
        for axis in "xy"
    ]
    figure = draw(table(lines), target("scatter", ["dataset"], ["quantity"], x_label="bits"))
    looks = [
        (line.get_color(), line.get_marker())
        for axis in figure.axes[:2]
        for line in axis.lines
        if line.get_label() == "at"
    ]
    assert len(looks) == 2 and len(set(looks)) == 1


def test_on_a_root_scale_the_distance_from_0_is_the_square_root():
    lines = [("nt", x, 1.0) for x in (0.0, 0.25, 1.0)]
    figure = draw(table(lines), target("curves", ["defence"], ["level"], x_scale="root"))
    ((zero, *_), (quarter, *_), (one, *_)) = figure.axes[0].transData.transform(
        [(0.0, 0.0), (0.25, 0.0), (1.0, 0.0)]
    )
    assert quarter - zero == pytest.approx((one - zero) / 2)
