"""docs/bad-input.md: the counted table, from docs/bad-input.json, which ``make fuzz`` writes."""

import json
from collections import Counter
from pathlib import Path

from tests.fuzz.limited import CPU_SECONDS, ERROR, KILLED, REFUSED, TAKEN

COUNTED, PAGE = Path("docs/bad-input.json"), Path("docs/bad-input.md")
COLUMNS = (TAKEN, REFUSED, "unclear refusal", ERROR, KILLED)
HEAD = f"""# Bad input

What becomes of studies and files that are not what they should be. Each is drawn from a seed and
read in a process that may use {CPU_SECONDS} s of a core and 3 GiB more than it began with.
`make fuzz` draws them all anew and writes this page; the tests draw a few hundred every time.

- *taken*: read, and found valid; the jobs of such a study are planned, too
- *refused*: one line that names the file, and of a study its line
- *unclear refusal*: a refusal without that
- *another error*: a traceback
- *killed*: by a limit of time or memory

The generators are in `tests/fuzz`.
"""


def page() -> str:
    """The page's text."""
    table = json.loads(COUNTED.read_text(encoding="utf-8"))
    parts = [HEAD]
    for group, kinds in table.items():
        total = sum((Counter(results) for results in kinds.values()), Counter())
        parts.append(f"## {group[0].upper()}{group[1:]}: {total.total():,}\n")
        parts.append(f"| what | drawn | {' | '.join(COLUMNS)} |\n|---|{'---:|' * 6}")
        rows = [*sorted(kinds.items()), *([("all", total)] if len(kinds) > 1 else [])]
        parts += [_row(kind, Counter(results)) for kind, results in rows]
        parts.append("")
    return "\n".join(parts)


def _row(kind: str, results: Counter[str]) -> str:
    cells = [f"{results.total():,}", *(f"{results[column]:,}" for column in COLUMNS)]
    return f"| {kind} | {' | '.join(cells)} |"
