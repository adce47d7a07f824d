"""Requirements of each kind of figure: its rows and columns, and texts that matplotlib can set."""

from collections.abc import Callable

NUMERIC = (["epoch"], ["level"])
# {kind: (what a figure's rows and columns must be, in words; a test of it)}
REQUIREMENTS: dict[str, tuple[str, Callable[[list, list], bool]]] = {
    "curves": (
        "one column of numbers, epoch or level",
        lambda rows, columns: columns in NUMERIC,
    ),
    "deviations": (
        "two rows or more, of which the first names the panels, and any columns",
        lambda rows, columns: len(rows) > 1,
    ),
    "heatmap": ("any rows and columns", lambda rows, columns: True),
    "plane": (
        "four rows, of which epoch is the last, and the column quantity",
        lambda rows, columns: len(rows) == 4 and rows[3] == "epoch" and columns == ["quantity"],
    ),
    "scatter": (
        "rows of which the points are the last, and the column quantity",
        lambda rows, columns: columns == ["quantity"],
    ),
    "surface": (
        "two rows or more, of which a number is the last, and one column of numbers",
        lambda rows, columns: len(rows) > 1 and columns in NUMERIC,
    ),
}
# {kind: test of whether the selected quantities are the coordinates that it draws}
COORDINATES: dict[str, Callable[[set[str]], bool]] = {
    "plane": lambda quantities: len(quantities) == 2,
    "scatter": lambda quantities: quantities == {"x", "y"},
}


def plot_problem(draw: str | None, rows: list, columns: list) -> str:
    """Error text if a figure cannot be drawn of these rows and columns; empty if it can."""
    if draw is None or REQUIREMENTS[draw][1](rows, columns):
        return ""
    return (
        f"`draw: {draw}` takes {REQUIREMENTS[draw][0]}; here rows are {rows} and columns {columns}"
    )


def mathtext_problem(text: str) -> str:
    """Error text if matplotlib cannot set a text with formulas between dollars; empty if it can."""
    if "$" not in text:
        return ""
    from matplotlib import cbook
    from matplotlib.mathtext import MathTextParser

    if not cbook.is_math_text(text):
        return ""
    try:
        MathTextParser("path").parse(text)
    except ValueError as error:
        return f"{text!r} is no formula that matplotlib can set ({str(error).splitlines()[-1]})"
    return ""
