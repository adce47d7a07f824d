"""Reuters-2: newswires of 1987 on takeovers (acq) or on earnings (earn), in English.

Lewis (1997), "Reuters-21578, distribution 1.0", split as ModApte says; free for research. Of its
two most populous topics, the documents that have exactly one: 4,495 training texts (1,634 acq) and
1,800 test texts (716 acq). arXiv 1801.07175 takes as many of earn as of acq; all are taken here. A
text is title and body, or the title where the body is not published; words as datasets/_texts.py
says. The order is the published one.
"""

import re
from functools import partial
from html import unescape
from pathlib import Path

from robustinfo.datasets import _texts
from robustinfo.datasets._prepared import DataError, RawTexts
from robustinfo.datasets._texts import Texts

READS = "texts"
ADDRESS = "www.daviddlewis.com/resources/testcollections/reuters21578/reuters21578.tar.gz"
CLASSES = ["acq", "earn"]
DOCUMENT = re.compile(r"<REUTERS (.*?)>(.*?)</REUTERS>", re.DOTALL)
TOPICS = re.compile(r"<TOPICS>(.*?)</TOPICS>", re.DOTALL)
TEXT = re.compile(r"<TEXT.*?>(.*?)</TEXT>", re.DOTALL)
PART = re.compile(r"<(TITLE|BODY)>(.*?)</\1>", re.DOTALL)


class Config(_texts.Config):
    length: int = 160  # the first so many words, as arXiv 1801.07175 cuts
    vocabulary: int = 10_000  # the most frequent words of the training texts


def load(split: str, *, config: Config, root: Path) -> RawTexts:
    """The split from the unpacked archive. Raises DataError if it is not there or damaged."""
    read = partial(_read, root / "downloads" / "reuters21578")
    return _texts.encode_split(split, read, config=config, classes=CLASSES, source=ADDRESS)


def _read(folder: Path, split: str) -> Texts:
    texts, labels = [], []
    try:
        # One of the files has bytes that are not UTF-8.
        content = "".join(f.read_text("latin-1") for f in sorted(folder.glob("reut2-0*.sgm")))
    except OSError as error:
        raise _missing(folder, error) from error
    for attributes, document in DOCUMENT.findall(content):
        topics = [one for one in CLASSES if f"<D>{one}</D>" in TOPICS.search(document)[1]]  # type: ignore[index]
        wanted = f'LEWISSPLIT="{split.upper()}"' in attributes and 'TOPICS="YES"' in attributes
        if wanted and len(topics) == 1:
            labels.append(CLASSES.index(topics[0]))
            texts.append(_text(document))
    if len({*labels}) < len(CLASSES):
        raise _missing(folder, f"no {split} documents of {' and '.join(CLASSES)} in reut2-0*.sgm")
    return texts, labels


def _text(document: str) -> str:
    """Title and body; a document without either is one text that was never taken apart."""
    whole = TEXT.search(document)[1]  # type: ignore[index]  # every document has one
    return unescape(" ".join(part for _, part in PART.findall(whole)) or whole)


def _missing(folder: Path, why: Exception | str) -> DataError:
    return DataError(
        f"reuters2: {folder} lacks readable newswires ({why}). Next: unpack {ADDRESS} into "
        f"{folder}, or set ROBUSTINFO_DATA to a folder that has the data"
    )
