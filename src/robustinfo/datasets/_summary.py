"""A summary of the images that a network is judged on, as the verdict reports it."""

from typing import NamedTuple

SHOWN = 12  # classes in a line of text; ``_asdict()`` has all


class DataSummary(NamedTuple):
    """Summary of a folder or a prepared data set. ``_asdict()`` is plain data, as for JSON."""

    root: str  # the folder whose folders are the classes, or the data set
    split: str | None  # the split that was read; None: the folder has none
    classes: dict[str, int]  # in the order of the logits: how many images each has
    order: str  # of the classes: "by name", "by number", "as FILE has it", "of the data set"
    n: int  # images that were read: of a folder a fixed draw, of a data set the first
    left_out: list[tuple[str, int, str]]  # what, how many, why
    notes: list[str]  # what was done to images that were read

    def lines(self) -> list[str]:
        """The summary as lines of text."""
        numbered = [*self.classes] == [str(place) for place in range(len(self.classes))]
        places = [
            f"{name} ({n})" if numbered else f"{place} {name} ({n})"
            for place, (name, n) in enumerate(self.classes.items())
        ]
        if len(places) > SHOWN:
            places[SHOWN - 1 : -1] = [f"{len(places) - SHOWN} more"]
        part = "no splits" if self.split is None else f"split {self.split}"
        every = sum(self.classes.values())
        return [
            f"{self.root}, {part}: {self.n:,} of {every:,} images read",
            f"{len(self.classes)} classes {self.order}: {', '.join(places)}",
            *(f"left out, {why}: {what} ({count:,} in all)" for what, count, why in self.left_out),
            *self.notes,
        ]
