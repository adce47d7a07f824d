"""What a YAML text would unfold to, counted from its events, before any of it is built.

The parser's events come one by one and without recursion, so that a text that nests too deep, names
itself or unfolds without end is stopped at the line where it goes too far.
"""

from collections.abc import Iterable

from ruamel.yaml.events import (
    AliasEvent,
    CollectionEndEvent,
    CollectionStartEvent,
    Event,
    NodeEvent,
)

DEEPEST = 30  # mappings and lists within one another
MOST_NODES = 50_000  # keys and values, every alias counted as what it stands for


def check_events(events: Iterable[Event]) -> tuple[int, str] | None:
    """(line, what goes too far); None if nothing does."""
    total, sizes = 0, {}  # nodes so far; {anchor: nodes that it stands for}
    above: list[tuple[str | None, int]] = []  # of every open mapping or list: anchor, total before
    for event in events:
        line = event.start_mark.line + 1
        if isinstance(event, CollectionEndEvent):
            anchor, before = above.pop()
            if anchor is not None:
                sizes[anchor] = total - before
        if not isinstance(event, NodeEvent):
            continue
        if isinstance(event, AliasEvent):
            if event.anchor in [anchor for anchor, _ in above]:
                return line, f"alias *{event.anchor} stands inside what it names"
            total += sizes.get(event.anchor, 1)
        else:
            tag = getattr(event, "tag", None)
            if getattr(event, "ctag", None) is not None and (tag or "!") != "!":
                return line, f"tag {tag}: a study has no tags; leave it out"
            if event.anchor is not None:
                sizes[event.anchor] = 1
            if isinstance(event, CollectionStartEvent):
                above.append((event.anchor, total))
            total += 1
        if len(above) > DEEPEST:
            return line, f"more than {DEEPEST} mappings or lists within one another"
        if total > MOST_NODES:
            return line, f"more than {MOST_NODES:,} keys and values, aliases unfolded"
    return None
