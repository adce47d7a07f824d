"""Texts as numbers: the tokenizer, the vocabulary, the published layouts, the prepared form."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import save_file

from robustinfo.core import registry
from robustinfo.datasets import _texts, imdb, reuters2, tiny_texts
from robustinfo.datasets._prepared import DataError, open_split, prepare
from robustinfo.datasets._storage import digest, read, write

REVIEWS = {
    "train/neg/0_2.txt": "Bad, bad film.<br /><br />Don't!",
    "train/neg/1_1.txt": "A bad, bad film",
    "train/pos/0_9.txt": "Good film: 8.5 of 10",
    "test/neg/0_3.txt": "bad café",
    "test/pos/0_10.txt": "GOOD",
}


@pytest.fixture
def films(tmp_path) -> Path:
    for name, text in REVIEWS.items():
        file = tmp_path / "downloads" / "aclImdb" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, "utf-8")
    return tmp_path


def wire(split, topics, text, has="YES"):
    tags = "".join(f"<D>{topic}</D>" for topic in topics)
    about = f'<REUTERS TOPICS="{has}" LEWISSPLIT="{split}" NEWID="1">'
    return f"{about}\n<TOPICS>{tags}</TOPICS>\n<TEXT>&#2;\n{text}</TEXT>\n</REUTERS>\n"


@pytest.fixture
def wires(tmp_path) -> Path:
    folder = tmp_path / "downloads" / "reuters21578"
    folder.mkdir(parents=True)
    body = "<DATELINE> ROME, </DATELINE><BODY>C, 1,234 dlrs\n&#3;</BODY>"
    body = f"<TITLE>A &lt;B.O> BUYS</TITLE>\n{body}"
    (folder / "reut2-000.sgm").write_text(
        wire("TRAIN", ["acq"], body)
        + wire("TRAIN", ["acq", "earn"], body)
        + wire("TRAIN", ["trade"], body)
        + wire("TRAIN", ["earn", "grain"], "NET 5 CTS\n&#3;")
        + wire("TRAIN", ["earn"], body, has="NO")
        + wire("NOT-USED", ["earn"], body)
    )
    (folder / "reut2-001.sgm").write_bytes(
        (wire("TEST", ["earn"], "<TITLE>NET</TITLE>Blah blah blah.") + wire("TEST", ["acq"], body))
        .encode("latin-1") + b"\xfc"
    )  # fmt: skip
    return tmp_path


def text(raw, row):
    return [raw.vocabulary[number] for number in raw.words[row] if number != _texts.PADDING]


def load(method, split, root, **settings):
    return registry.get("datasets", {"method": method, **settings})(split, root=root)


def test_a_word_is_a_number_letters_with_their_apostrophes_or_one_other_character():
    said = "Don't pay $1,234.50 for it (2nd-hand), 'Zoë'!"
    words = "Don't pay $ 1,234.50 for it ( 2 nd - hand ) , ' Zoë ' !".split()
    assert _texts.words_of(said) == words


@pytest.mark.parametrize("said", ["ü_1 ½ 中文", "a.b,c''d", "\x03 \u200b x", "3.", "...", ""])
def test_no_visible_character_is_lost(said):
    assert "".join(_texts.words_of(said)) == "".join(said.split())


def test_the_vocabulary_are_the_most_frequent_words_the_first_seen_first():
    texts = [["b", "a", "c"], ["a", "d", "c"]]
    assert _texts.most_frequent(texts, 3) == [*_texts.MARKS, "a", "c", "b"]
    assert _texts.most_frequent(texts, 9) == [*_texts.MARKS, "a", "c", "b", "d"]


def test_numbers_are_places_in_the_vocabulary_cut_and_filled_to_the_length():
    vocabulary = [*_texts.MARKS, "a", "b"]
    found = _texts.as_numbers([["b", "x", "a", "b"], ["a"], []], vocabulary, 3)
    assert found.dtype == np.int32
    assert found.tolist() == [[3, 1, 2], [2, 0, 0], [0, 0, 0]]


def test_a_review_becomes_its_words_without_line_breaks_and_its_folder_the_class(films):
    raw = load("imdb", "train", films)
    texts = {" ".join(text(raw, row)): raw.labels[row] for row in range(3)}
    assert texts == {
        "bad , bad film . don't !": 0,
        "a bad , bad film": 0,
        "good film : 8.5 of 10": 1,
    }
    assert raw.classes == ["negative", "positive"] and raw.words.shape == (3, 400)


def test_the_vocabulary_is_that_of_the_training_texts_alone(films):
    train, test = (load("imdb", split, films, vocabulary=2) for split in ("train", "test"))
    assert train.vocabulary == test.vocabulary == [*_texts.MARKS, "bad", "film"]
    texts = {label: text(test, row) for row, label in enumerate(test.labels)}
    assert texts == {0: ["bad", "<unknown>"], 1: ["<unknown>"]}


def test_case_is_kept_where_it_is_asked_for(films):
    raw = load("imdb", "test", films, lower_case=False)
    assert {"Bad", "bad", "Good"} < {*raw.vocabulary}
    assert sum(text(raw, row) == ["<unknown>"] for row in range(2)) == 1  # GOOD


def test_the_order_of_reviews_mixes_the_classes_whatever_the_file_system_says(tmp_path):
    for number in range(40):
        for name in imdb.CLASSES:
            file = tmp_path / "train" / name / f"{number}_1.txt"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(f"{name}{number}")
    texts, labels = imdb._read(tmp_path, "train")
    assert 5 <= sum(labels[:20]) <= 15 and (texts, labels) == imdb._read(tmp_path, "train")
    assert [said.startswith("pos") for said in texts] == [label == 1 for label in labels]


def test_newswires_of_exactly_one_of_the_two_topics_are_taken_by_modapte(wires):
    train, test = load("reuters2", "train", wires), load("reuters2", "test", wires)
    assert [" ".join(text(train, row)) for row in range(2)] == [
        "a < b . o > buys c , 1,234 dlrs",
        "net 5 cts",
    ]
    assert train.labels.tolist() == [0, 1] and train.classes == ["acq", "earn"]
    assert test.labels.tolist() == [1, 0] and text(test, 0) == ["net"]


@pytest.mark.parametrize(("method", "address"), [("imdb", "ai.stanford"), ("reuters2", "lewis")])
def test_missing_texts_are_named_with_their_address_and_place(method, address, tmp_path):
    said = rf"{method}: {tmp_path}/downloads/.* lacks.*unpack .*{address}.*ROBUSTINFO_DATA"
    with pytest.raises(DataError, match=said):
        load(method, "train", tmp_path)


def test_half_an_archive_is_no_archive(films, wires):
    next((films / "downloads" / "aclImdb" / "train" / "pos").iterdir()).unlink()
    with pytest.raises(DataError, match=r"no train/\{neg,pos\}"):
        load("imdb", "test", films)
    (wires / "downloads" / "reuters21578" / "reut2-001.sgm").unlink()
    with pytest.raises(DataError, match="no test documents of acq and earn"):
        load("reuters2", "test", wires)


def test_tiny_texts_are_the_same_everywhere_and_no_text_is_in_both_splits():
    train, test = (load("tiny_texts", split, Path("nowhere")) for split in ("train", "test"))
    assert (len(train.labels), len(test.labels)) == (400, 200)
    rows = [tuple(row) for row in (*train.words, *test.words)]
    assert len({*rows}) == 600
    assert _texts.UNKNOWN not in test.words and test.words[:, -1].max() == 0  # all fit
    assert min(np.bincount(train.labels)) > 150 and min(np.bincount(test.labels)) > 75
    again = load("tiny_texts", "train", Path("elsewhere"))
    assert again.words.tobytes() == train.words.tobytes() and again.vocabulary == train.vocabulary


def test_prepared_texts_are_described_by_length_and_vocabulary_and_come_back_whole(tmp_path):
    entry = {"method": "tiny_texts"}
    manifest = prepare("tiny", entry, tmp_path)
    raw = load("tiny_texts", "test", tmp_path)
    assert manifest["splits"]["test"]["shape"] == [30, len(raw.vocabulary)]
    assert manifest["splits"]["test"]["texts"] == 200 and manifest["classes"] == raw.classes
    opened = open_split("tiny", "test", entry, tmp_path)
    assert opened.images.dtype == torch.int32
    assert torch.equal(opened.images, torch.from_numpy(raw.words))
    assert opened.vocabulary == raw.vocabulary
    assert prepare("tiny", entry, tmp_path) == manifest


def test_texts_prepared_with_another_length_are_refused(tmp_path):
    prepare("tiny", {"method": "tiny_texts"}, tmp_path)
    with pytest.raises(DataError, match="made with other settings"):
        open_split("tiny", "test", {"method": "tiny_texts", "length": 8}, tmp_path)


def test_splits_of_different_vocabularies_are_refused(tmp_path):
    entry = {"method": "tiny_texts"}
    prepare("tiny", entry, tmp_path)
    raw = load("tiny_texts", "test", tmp_path)
    other = [*raw.vocabulary[:-1], "other"]
    write(
        tmp_path / "tiny" / "test.safetensors", raw.words, raw.labels, classes=raw.classes,
        source="", settings=entry, vocabulary=other,
    )  # fmt: skip
    with pytest.raises(DataError, match="differ in classes, shape or vocabulary"):
        prepare("tiny", entry, tmp_path)


WORDS, LABELS = np.array([[2, 1], [3, 0]], np.int32), np.array([0, 1])
ABOUT = {"classes": '["a", "b"]', "source": "here", "vocabulary": '["-", "?", "x", "y"]'}


def saved(file, words=WORDS, **about):
    about = {key: value for key, value in (ABOUT | about).items() if value is not None}
    about = {"sha256": digest(words, LABELS, ABOUT["vocabulary"]), **about}
    save_file({"words": words, "labels": LABELS}, file, about)
    return file


def test_words_are_read_with_their_vocabulary(tmp_path):
    words, labels, about = read(saved(tmp_path / "train.safetensors"))
    assert words.tolist() == WORDS.tolist() and labels.tolist() == [0, 1]
    assert json.loads(about["vocabulary"]) == ["-", "?", "x", "y"]


@pytest.mark.parametrize(
    ("words", "about", "said"),
    [
        (WORDS, {"vocabulary": None}, r"lacks the metadata \['vocabulary'\]"),
        (WORDS, {"vocabulary": '["-", "?", "y", "x"]'}, "was altered"),
        (WORDS + 1, {}, r"words 1\.\.4 for 4 vocabulary"),
        (WORDS - 1, {}, r"words -1\.\.2 for 4 vocabulary"),
        (WORDS.astype(np.int64), {}, "words int32"),
    ],
)
def test_words_that_are_not_those_of_their_vocabulary_are_refused(tmp_path, words, about, said):
    with pytest.raises(DataError, match=said):
        read(saved(tmp_path / "train.safetensors", words, **about))


def test_every_set_of_texts_says_so():
    for module in (imdb, reuters2, tiny_texts):
        name = module.__name__.rpartition(".")[2]
        assert registry.reads("datasets", {"method": name}) == "texts"
    assert registry.reads("datasets", {"method": "mnist"}) == "images"
    assert registry.reads("losses", {"method": "cross_entropy"}) is None
