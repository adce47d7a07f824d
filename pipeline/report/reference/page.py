"""The reference of studies and results, one page of Markdown.

python -m pipeline reference > docs/reference.md
"""

import argparse
from collections.abc import Sequence

from pipeline.report.reference import methods, results, sections

INTRODUCTION = """# Reference

Made by `python -m pipeline reference > docs/reference.md`; a test holds it against the code.

A study is a YAML file: which networks are trained on which data, how they are attacked and
measured, and what is concluded. `python -m pipeline check FILE` checks all of it before any job,
`python -m pipeline resolve FILE` prints it with all that it inherits and leaves out, and
`studies/schema.json` tells an editor what may stand where.

[Sections](#sections) | [the language](#the-language) | [tables and figures](#tables-and-figures) |
[claims](#claims) | [columns of the results](#columns-of-the-results) | [quantities](#quantities) |
[stages](#stages) | [methods](#methods). What a verdict asks: [verdict.md](verdict.md)."""


def page() -> str:
    """The page as Markdown."""
    parts = [INTRODUCTION, *sections.parts(), *results.parts(), *methods.parts()]
    return "\n\n".join(parts).replace("``", "`") + "\n"


def main(arguments: Sequence[str]) -> None:
    """Print the page; there are no arguments."""
    argparse.ArgumentParser("python -m pipeline reference").parse_args(arguments)
    print(page(), end="")
