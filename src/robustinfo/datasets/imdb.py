"""IMDB: film reviews, negative or positive, in English.

Maas et al. (2011), ACL, "Learning word vectors for sentiment analysis"; to be cited, no licence is
stated. 25,000 training and 25,000 test texts of two balanced classes, at most 30 of one film. Their
line breaks in HTML are removed; words as datasets/_texts.py says. The order is a draw that never
changes: published, one class follows the other, and the first so many would be of one class.
"""

from functools import partial
from hashlib import sha256
from pathlib import Path

from robustinfo.datasets import _texts
from robustinfo.datasets._prepared import DataError, RawTexts
from robustinfo.datasets._texts import Texts

READS = "texts"
ADDRESS = "ai.stanford.edu/~amaas/data/sentiment/aclImdb_v1.tar.gz"
CLASSES = {"neg": "negative", "pos": "positive"}  # folder: name


class Config(_texts.Config):
    length: int = 400  # the first so many words, as arXiv 1801.07175 cuts
    vocabulary: int = 20_000  # the most frequent words of the training texts


def load(split: str, *, config: Config, root: Path) -> RawTexts:
    """The split from the unpacked archive. Raises DataError if it is not there or damaged."""
    read = partial(_read, root / "downloads" / "aclImdb")
    return _texts.encode_split(
        split, read, config=config, classes=list(CLASSES.values()), source=ADDRESS
    )


def _read(folder: Path, split: str) -> Texts:
    files = [file for name in CLASSES for file in (folder / split / name).glob("*.txt")]
    files.sort(key=lambda file: sha256(f"{file.parent.name}/{file.name}".encode()).digest())
    labels = [list(CLASSES).index(file.parent.name) for file in files]
    try:
        texts = [file.read_text("utf-8").replace("<br />", " ") for file in files]
    except (OSError, UnicodeDecodeError) as error:
        raise _missing(folder, error) from error
    if len({*labels}) < len(CLASSES):
        raise _missing(folder, f"no {split}/{{{','.join(CLASSES)}}}/*.txt")
    return texts, labels


def _missing(folder: Path, why: Exception | str) -> DataError:
    return DataError(
        f"imdb: {folder} lacks readable reviews ({why}). Next: unpack {ADDRESS} into "
        f"{folder.parent}, or set ROBUSTINFO_DATA to a folder that has the data"
    )
