"""Tiny texts: invented reviews of household goods, complaint or praise, made of sentence templates.

Written for this project: no real reviews. Every template is filled with every word that it may
hold; a draw that never changes gives 400 training and 200 test texts of two nearly balanced
classes. What a text is about says nothing of its class. Needs no network.
"""

from hashlib import sha256
from itertools import product
from pathlib import Path

from robustinfo.datasets import _texts
from robustinfo.datasets._prepared import RawTexts
from robustinfo.datasets._texts import Texts

READS = "texts"
SIZES = {"train": 400, "test": 200}
OPENINGS = (
    "We bought this {} in spring.",
    "This {} was a present from my aunt.",
    "I had looked for a {} for months!",
    "The {} came by post, in two boxes.",
)
GOODS = ("kettle", "lamp", "chair", "tent", "radio", "bicycle", "pan", "coat")
JUDGEMENTS = {
    "complaint": (
        "It broke after {} days",
        "After {} days the awful thing fell apart",
        "A waste of money, useless within {} days",
        "For {} days it smelled bad and made noise",
        "I am disappointed and sent it back after {} days",
    ),
    "praise": (
        "It has served us well for {} days",
        "After {} days I still love the lovely thing",
        "Worth every penny, perfect from the first of {} days",
        "For {} days it has been quiet and pretty",
        "I am delighted and told all friends within {} days",
    ),
}
NUMBERS = ("2", "10", "1,000")
CLOSINGS = (", I paid 20.50 for it.", "; my sister has the same one.", ". That's all.")


class Config(_texts.Config):
    length: int = 30  # the first so many words of a text are read
    vocabulary: int = 200  # the most frequent words; more than there are


def load(split: str, *, config: Config, root: Path) -> RawTexts:
    """The split in the order of the draw. ``root`` is not used: the texts are made here."""
    return _texts.encode_split(
        split, _make, config=config, classes=list(JUDGEMENTS), source="robustinfo.datasets"
    )


def _make(split: str) -> Texts:
    every = [
        (f"{opening.format(good)} {judgement.format(number)}{closing}", label)
        for label, judgements in enumerate(JUDGEMENTS.values())
        for opening, good, judgement, number, closing in product(
            OPENINGS, GOODS, judgements, NUMBERS, CLOSINGS
        )
    ]
    every.sort(key=lambda one: sha256(one[0].encode()).digest())
    first = 0 if split == "train" else SIZES["train"]
    texts, labels = zip(*every[first : first + SIZES[split]], strict=True)
    return list(texts), list(labels)
