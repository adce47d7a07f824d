"""The first paragraph of a docstring, and the paper that the docstring names."""

import re

PAPER = re.compile(r"arXiv\s+(\d{4}\.\d{4,5})")


def first_paragraph(text: str) -> str:
    """On one line."""
    return " ".join(text.split("\n\n")[0].split())


def link(text: str) -> tuple[str, str] | None:
    """(name, address) of the first arXiv paper of a text."""
    found = PAPER.search(text)
    return (f"arXiv {found[1]}", f"https://arxiv.org/abs/{found[1]}") if found else None
