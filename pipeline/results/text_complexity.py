"""Complexity of texts: all words that an attack altered, as one corpus, before and after.

arXiv 1810.09650 (table 2) measures altered words only. One text has too few of them for a
histogram, so those of all successes are put together, one to a line. The interval is a jackknife's
over groups of texts: a bootstrap would take texts twice, and what repeats deflates well.
"""

from collections.abc import Callable, Iterable, Iterator

import numpy as np
from torch import Tensor

from pipeline.study.quantities import WORD_QUANTITIES
from robustinfo.core.measurement import Measurement, with_interval
from robustinfo.maths.statistics import jackknife

GROUPS = 20  # of texts, by their place in the test set

Examples = dict[str, Tensor]  # what the stage attack stored of one attack
Corpus = list[tuple[int, list[str]]]  # (place of a text in the test set, some of its words)


def measure_altered_words(
    measures: dict[str, Callable[[list[str]], Tensor]],
    words: Tensor,
    attacks: Iterable[tuple[str, Examples]],
    vocabulary: list[str],
) -> Iterator[Measurement]:
    """Measurements per complexity: each attack's inserted words, the replaced ones, the difference.

    words: (n, length) int32, the clean texts. attacks: their names and examples. Input ``clean``:
    the words that all attacks replaced, together. n: the number of texts. An attack without success
    has no rows.
    """
    removed: Corpus = []
    for attack, examples in attacks:
        x_adv, success = examples["x_adv"], examples["success"]
        altered = (x_adv != words) & success[:, None]
        if not altered.any():
            continue
        before_words, after_words = (
            _corpus(words, altered, vocabulary),
            _corpus(x_adv, altered, vocabulary),
        )
        removed += before_words
        for name, measure in measures.items():
            after, before = _values(measure, after_words), _values(measure, before_words)
            for quantity, values in zip(
                WORD_QUANTITIES, (after, before, after - before), strict=True
            ):
                yield _measurement(attack, name, quantity, values, len(after_words))
    if removed:
        for name, measure in measures.items():
            texts = len({place for place, _ in removed})
            yield _measurement("clean", name, "mean", _values(measure, removed), texts)


def _corpus(words: Tensor, chosen: Tensor, vocabulary: list[str]) -> Corpus:
    """Corpus of the chosen words of every text that has any. chosen: (n, length) bool."""
    return [
        (place, [vocabulary[number] for number in words[place][chosen[place]].tolist()])
        for place in chosen.any(1).nonzero().squeeze(1).tolist()
    ]


def _values(measure: Callable[[list[str]], Tensor], corpus: Corpus) -> np.ndarray:
    """Complexity of the whole corpus, then without each group of texts in turn."""
    groups = sorted({place % GROUPS for place, _ in corpus})
    without = [None, *(groups if len(groups) > 1 else ())]
    texts = [
        "\n".join(word for place, words in corpus if place % GROUPS != group for word in words)
        for group in without
    ]
    return measure(texts).numpy()


def _measurement(
    source: str, entry: str, quantity: str, values: np.ndarray, texts: int
) -> Measurement:
    measurement = with_interval(quantity, values[0], *jackknife(values[0], values[1:]))
    return measurement._replace(n=texts, entry=entry, input=source)
