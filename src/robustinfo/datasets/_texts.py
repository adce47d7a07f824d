"""What the data sets of texts share: words, the vocabulary, and texts as numbers.

A word is a number (1,234.5), letters with the apostrophes inside them (don't), or any other visible
character by itself. The vocabulary are the most frequent words of the training texts, behind two
marks: PADDING fills a text that is shorter than ``length``, UNKNOWN stands for every other word.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable
from itertools import chain

import numpy as np
from pydantic import PositiveInt

from robustinfo.core.settings import Settings
from robustinfo.datasets._prepared import RawTexts, is_train

PADDING, UNKNOWN = 0, 1
MARKS = ["<padding>", "<unknown>"]  # no text holds them: brackets are words by themselves
WORD = re.compile(r"\d+(?:[.,]\d+)*|[^\W\d_]+(?:'[^\W\d_]+)*|\S")

Texts = tuple[list[str], list[int]]  # and their labels


class Config(Settings):
    length: PositiveInt  # the first so many words of a text are read
    vocabulary: PositiveInt  # the most frequent words of the training texts
    lower_case: bool = True  # whether capitals are made small


def words_of(text: str) -> list[str]:
    """The words of a text in order."""
    return WORD.findall(text)


def most_frequent(texts: Iterable[list[str]], size: int) -> list[str]:
    """The marks, then ``size`` words or all there are; of equally frequent ones, the first seen."""
    counts = Counter(chain.from_iterable(texts))
    return MARKS + [word for word, _ in counts.most_common(size)]


def as_numbers(texts: list[list[str]], vocabulary: list[str], length: int) -> np.ndarray:
    """Words to their places in the vocabulary: int32 (n, length)."""
    numbers = {word: number for number, word in enumerate(vocabulary)}
    places = np.full((len(texts), length), PADDING, np.int32)
    for row, text in zip(places, texts, strict=True):
        first_words = text[:length]
        row[: len(first_words)] = [numbers.get(word, UNKNOWN) for word in first_words]
    return places


def encode_split(
    split: str, read: Callable[[str], Texts], *, config: Config, classes: list[str], source: str
) -> RawTexts:
    """One split as numbers.  read: name of a split -> its texts, as published, and labels."""

    def words_and_labels(which: str) -> tuple[list[list[str]], list[int]]:
        texts, labels = read(which)
        texts = [text.lower() for text in texts] if config.lower_case else texts
        return [words_of(text) for text in texts], labels

    train, labels = words_and_labels("train")
    vocabulary = most_frequent(train, config.vocabulary)
    texts, labels = (train, labels) if is_train(split) else words_and_labels(split)
    words = as_numbers(texts, vocabulary, config.length)
    return RawTexts(words, np.array(labels, np.int64), classes, source, vocabulary)
