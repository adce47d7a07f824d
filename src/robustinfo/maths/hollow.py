"""Depth and area of the hollow of a surface around its middle.

A path from the middle to the edge, from point to neighbour (a point has up to eight), must climb to
its highest point. The level of the hollow is the least that any path must climb to, as water would
rise before it ran off the edge: the "fill" of a depression in a terrain, found by flooding from the
lowest point up (Barnes, Lehman and Mulla 2014, "Priority-flood", doi 10.1016/j.cageo.2013.04.024).
"""

import heapq
from collections.abc import Iterator

from torch import Tensor


def hollow(heights: Tensor) -> tuple[float, float]:
    """Depth and area of the hollow around the middle.  heights: (s, s), s odd, finite.

    depth: how far its level is above the middle, as a part of highest minus lowest. area: the share
    of the points that are joined to the middle below that level. Both 0 where a path need not climb
    at all, and of a flat surface.
    """
    side, rows = len(heights), heights.tolist()
    middle = (side // 2, side // 2)
    level = _level(rows, middle, side)
    rise = level - rows[middle[0]][middle[1]]
    if rise <= 0:
        return 0.0, 0.0
    joined, frontier = {middle}, [middle]
    while frontier:
        for place in _around(frontier.pop(), side):
            if place not in joined and rows[place[0]][place[1]] < level:
                joined.add(place)
                frontier.append(place)
    return rise / (heights.max() - heights.min()).item(), len(joined) / side**2


def _level(rows: list[list[float]], middle: tuple[int, int], side: int) -> float:
    """The least height to which a path from the middle to the edge must climb."""
    seen, frontier = {middle}, [(rows[middle[0]][middle[1]], middle)]
    while True:
        level, place = heapq.heappop(frontier)
        if {0, side - 1} & {*place}:
            return level
        for one in _around(place, side):
            if one not in seen:
                seen.add(one)
                heapq.heappush(frontier, (max(level, rows[one[0]][one[1]]), one))


def _around(place: tuple[int, int], side: int) -> Iterator[tuple[int, int]]:
    for row in range(max(0, place[0] - 1), min(side, place[0] + 2)):
        for column in range(max(0, place[1] - 1), min(side, place[1] + 2)):
            yield row, column
