"""Checks of the names of a study's entries: not reserved, and no two with the same files.

A name is a folder or a file of the results, a value of a column (rows.py), and a rule's wildcard,
so it must differ from the folders beside it, from the reserved values of the column, and from any
other name by more than its case, which some file systems do not distinguish.
"""

import re
from collections.abc import Iterator
from typing import Any

from pipeline.study.quantities import UNION
from pipeline.study.strict_yaml import Key

CHOICES = ("per", "else")  # of per.py
INPUTS = ("clean", "attacks")  # in the columns ``entry`` and ``input``: no attack, all of them
# Reserved names, by section.
RESERVED = {
    "datasets": ("collected", "per_image", "gallery", "overview", "tables", "figures"),
    "defences": ("selection", *INPUTS),
    "attacks": (*INPUTS, UNION),
    "snapshot_attacks": (*INPUTS, "training"),
    "snapshot_diagnostics": INPUTS,
    "distortions": INPUTS,
    "diagnostics": (*INPUTS, UNION),
    "learning": INPUTS,
    "detection": INPUTS,
}
NAMED = (
    "datasets", "models", "defences", "attacks", "snapshot_attacks", "measures",
    "snapshot_diagnostics", "complexities",
    "distortions", "diagnostics", "learning", "detection", "toys", "tables", "figures", "claims",
)  # fmt: skip
# Snakemake takes a path with a part that repeats 20 times for an endless recursion.
ENDLESS = re.compile(r"(.+)\1{18}")


def problems(content: dict[str, Any]) -> Iterator[tuple[Key, str]]:
    """(key, problem) of every invalid name. content: the study, its sections mappings."""
    for section in NAMED:
        entries = content[section]
        for number, name in enumerate(entries):
            reserved = (*CHOICES, *RESERVED.get(section, ()))
            if name.lower() in reserved and entries.keys() != {CHOICES[0]}:
                yield (section, name), f"the name means something else; {section} call none so"
            alike = [other for other in [*entries][:number] if other.lower() == name.lower()]
            if alike:
                problem = f"differs from {alike[0]} by its case only: on some disks, the same file"
                yield (section, name), problem
            if ENDLESS.search(name):
                yield (section, name), "repeats itself; Snakemake takes that for a path without end"
    if ENDLESS.search(str(content["name"])):
        yield ("name",), "repeats itself; Snakemake takes that for a path without end"
