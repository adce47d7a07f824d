"""A measurement is the same before and after it has been a row of a table."""

import math

import pandas as pd
import pytest

from pipeline.results import rows
from robustinfo.core.measurement import Measurement, count_fraction, exact

FULL = Measurement(
    "information_input_bits", 4.5, "own", 50, 4.25, 4.75, "kde", "pgd", "fc1", 0.1, 3, 5.0, True
)
EVERY = {
    "every field": FULL,
    "none of them": Measurement("hsic", 0.1),
    "not saturated": FULL._replace(saturated=False),
    "not said": FULL._replace(saturated=None, ceiling=None),
    "a fraction of no image": count_fraction("share", 0, 0),
    "of no images, known": exact("attacks", 3),
    "a level and an epoch of 0": FULL._replace(level=0.0, epoch=0, low=0.0, high=0.0),
    "no entry": FULL._replace(entry="", input="", layer=""),
    "a third": Measurement("share", 1 / 3, "fraction", 3, entry="pgd"),
}
NAMES = ["None", "NA", "nan", "007", "1e5", "True", "", "a,b", 'a"b', "linf"]


def read_again(tmp_path, *found, **settings):
    file = tmp_path / "rows.csv"
    rows.write(file, rows.from_measurements("diagnose", found, **settings))
    return rows.read(file)


@pytest.mark.parametrize("one", EVERY.values(), ids=EVERY)
@pytest.mark.parametrize("alone", [True, False])
def test_a_measurement_comes_back_as_it_was(one, alone, tmp_path):
    """Beside others, too: a column that holds numbers and gaps is read as floats."""
    others = [] if alone else [FULL, Measurement("other", 1.0)]
    first, *rest = rows.to_measurements(read_again(tmp_path, one, *others))
    assert first == one._replace(value=pytest.approx(one.value, abs=0, nan_ok=True))
    assert type(first.n) is type(one.n) and type(first.epoch) is type(one.epoch)
    assert first.saturated is one.saturated
    assert rest == others


@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_text_whatever_it_looks_like(name, tmp_path):
    one = FULL._replace(entry=name, input=name, layer=name)
    assert list(rows.to_measurements(read_again(tmp_path, one))) == [one]


@pytest.mark.parametrize("value", [0.1 + 0.2, 5e-324, -1e300, math.inf, -math.inf])
def test_every_digit_of_a_value_is_kept(value, tmp_path):
    (found,) = rows.to_measurements(read_again(tmp_path, Measurement("loss", value)))
    assert found.value == value


def test_nan_is_an_empty_cell_and_comes_back_as_nan(tmp_path):
    table = read_again(tmp_path, Measurement("correlation", math.nan, "own", 8, math.nan, math.nan))
    (found,) = rows.to_measurements(table)
    assert math.isnan(found.value) and found.low is None and found.high is None
    assert (tmp_path / "rows.csv").read_text().splitlines()[1].count("nan") == 0


def test_the_images_of_the_stage_are_those_of_what_says_nothing_else(tmp_path):
    table = read_again(tmp_path, exact("attacks", 3), count_fraction("share", 1, 4), n=20)
    assert table.n.tolist() == [20, 4] and set(table.stage) == {"diagnose"}
    assert table.interval.tolist() == ["exact", "fraction"]


def test_a_table_of_several_runs_gives_them_all(tmp_path):
    one, other = read_again(tmp_path, FULL), read_again(tmp_path, EVERY["none of them"])
    found = list(rows.to_measurements(pd.concat([one, other], ignore_index=True)))
    assert found == [FULL, EVERY["none of them"]]
    assert list(rows.to_measurements(one.iloc[:0])) == []
