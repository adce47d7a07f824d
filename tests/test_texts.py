"""A study of texts from its file to its report in one process; and the corpora it measures."""

from functools import partial

import numpy as np
import pytest
import torch

from pipeline.results import rows, text_complexity
from robustinfo.complexities import text_deflate_size, text_entropy
from robustinfo.core.sealed import unseal
from tests.staged import staged

STUDY = """
name: texts
seeds: [0]
settings: [{dataset: imdb, model: text_classifier}]
datasets: {imdb: {method: tiny_texts}}
models: {text_classifier: {method: text_classifier, embedding_size: 8, filters: 16}}
defences: {standard: {method: standard, loss: {method: cross_entropy}}}
training_images: 300
validation_share: 0.1
pretrain: {standard: {epochs: 6, batch_size: 16, learning_rate: 0.01, snapshot_every: 6}}
retrain: {}
retrain_from: standard
selection: {settings: [], compared: []}
train_selected: {}
evaluation_images: 100
attacks:
  fgsm: {method: word_fgsm, step_size: 0.05, steps: 10}
  fgvm: {method: word_fgsm, norm: l2, step_size: 0.5, steps: 10}
  deepfool: {method: word_deepfool, steps: 10}
threat: {}
snapshot_attacks: {}
measures: {}
complexities:
  bits_per_character: {method: text_entropy, alphabet: character}
  compressed_size: {method: text_deflate_size}
transfers: []
distorted: {inputs: [clean], measures: []}
distortions: {}
diagnostics: {}
learning: {}
verdict: {twin: standard}
toys: {}
tables:
  table-2:
    title: Complexity of altered words
    rows: [dataset, input]
    columns: [entry]
    where: {stage: complexity, quantity: mean}
    paper:
      file: one-bit-matters
      key: "text_complexity|{dataset}|{input}|{entry}"
      names: {clean: benign}
figures: {}
claims:
  text_complexity:
    paper: one-bit-matters
    claim: text_complexity
    of: {stage: complexity, entry: bits_per_character, quantity: difference}
    worst_over: input
    expect: above
"""
NAMES = {"dataset": "imdb", "model": "text_classifier", "defence": "standard", "seed": "0"}
ATTACKS = ("fgsm", "fgvm", "deepfool")


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """The folder of the study's results, every stage run."""
    folder = tmp_path_factory.mktemp("texts")
    with staged(folder, STUDY) as (_, run):
        run("prepare", dataset="imdb")
        run("pretrain", **NAMES)
        for name in ATTACKS:
            run("attack", **NAMES, attack=name)
        for stage in ("measure", "complexity", "diagnose"):
            run(stage, **NAMES)
        run("collect", dataset="imdb", model="text_classifier")
        run("verdict")
        run("remedies", **NAMES)
        run("leaderboard")
        run("overview")
        run("gallery", dataset="imdb", model="text_classifier")
        run("table", target="table-2")
        run("claims")
        run("report")
    return folder / "results" / "texts"


def test_the_classifier_learns_and_every_attack_turns_most_of_its_texts(results):
    table = rows.read(results / "collected/imdb/text_classifier.csv")
    accuracy = table[(table.entry == "clean") & (table.quantity == "accuracy")].value.item()
    assert accuracy > 0.95
    success = table[table.quantity == "attack_success_rate"].set_index("entry").value
    assert set(success.index) == {*ATTACKS} and success.min() > 0.5


def test_the_stored_examples_are_words_and_their_count_of_altered_ones(results):
    for name in ATTACKS:
        found, _ = unseal(results / f"imdb/text_classifier/standard/0/attacks/{name}.safetensors")
        assert found["x_adv"].dtype == torch.int32 and found["x_adv"].shape == (100, 30)
        assert ((found["altered_words"] > 0) == found["success"]).all()
        assert "distance_l2" not in found


def test_every_attack_has_the_complexity_of_what_it_put_in_and_took_out(results):
    table = rows.read(results / "imdb/text_classifier/standard/0/complexities.csv")
    for _, own in table.groupby(["input", "entry"]):
        value = own.set_index("quantity").value
        if len(own) == 3:
            expected = value["mean"] - value["clean_mean"]
            assert value["difference"] == pytest.approx(expected)
        assert (own.low < own.value).all() and (own.value < own.high).all()
    inputs = table[table.quantity == "mean"].groupby("entry").input.apply(set)
    assert all(found == {"clean", *ATTACKS} for found in inputs) and len(inputs) == 2


def test_texts_have_no_verdict_but_a_table_beside_the_papers_a_claim_and_a_report(results):
    assert rows.read(results / "verdict.csv").empty
    table = (results / "tables/table-2.csv").read_text()
    assert "imdb / clean,bits_per_character,4.556," in table
    assert "100 of 25,000 test images" in table
    claim = (results / "claims.csv").read_text().splitlines()[2]
    assert claim.startswith("imdb,text_classifier,text_complexity,")
    page = (results / "report.html").read_text()
    assert "Complexity of altered words" in page and "nothing to judge" in page
    assert "<img" not in page  # a gallery needs images


VOCABULARY = ["<padding>", "<unknown>", "a", "bb", "ccc", "dd"]
WORDS = torch.tensor([[2, 3, 4], [2, 2, 2], [5, 4, 0]], dtype=torch.int32)
X_ADV = torch.tensor([[2, 4, 5], [3, 2, 2], [4, 4, 0]], dtype=torch.int32)


def measured(success):
    examples = {"x_adv": X_ADV, "success": torch.tensor(success)}
    measures = {"length": lambda texts: torch.tensor([float(len(text)) for text in texts])}
    return list(
        text_complexity.measure_altered_words(measures, WORDS, [("fgsm", examples)], VOCABULARY)
    )


def test_a_corpus_are_the_altered_words_of_the_successes_one_to_a_line():
    found = {(row.input, row.quantity): row for row in measured([True, True, False])}
    assert found["fgsm", "mean"].value == len("ccc\ndd\nbb")
    assert found["fgsm", "clean_mean"].value == len("bb\nccc\na")
    assert found["fgsm", "difference"].value == 1
    assert found["clean", "mean"].value == len("bb\nccc\na")
    assert {row.n for row in found.values()} == {2}


def test_one_text_has_a_value_without_an_interval_and_none_has_no_rows():
    alone = measured([False, True, False])
    assert [row.value for row in alone] == [2, 1, 1, 1]
    assert {(row.interval, row.low, row.high) for row in alone} == {("unknown", None, None)}
    assert measured([False, False, False]) == []


def test_a_bootstrap_of_texts_would_take_repetition_for_simplicity():
    """Why the interval is a jackknife's: a resample deflates better than any part of the whole."""
    rng = np.random.default_rng(0)
    letters = rng.integers(97, 123, (60, 9, 6))  # texts, words, letters
    corpus = [(n, ["".join(map(chr, word)) for word in one]) for n, one in enumerate(letters)]
    size = partial(text_deflate_size.measure, config=text_deflate_size.Config())
    values = text_complexity._values(size, corpus)
    drawn = [[corpus[n] for n in rng.integers(60, size=60)] for _ in range(50)]
    resampled = size(["\n".join(word for _, text in one for word in text) for one in drawn])
    assert max(resampled) < values[0] < values[1:].min() + 0.1
    assert values[1:].max() - values[1:].min() < 0.2


def test_without_each_group_a_corpus_lacks_the_texts_of_that_group_alone():
    corpus = [(place, [VOCABULARY[2 + place % 4]]) for place in range(45)]
    config = text_entropy.Config(alphabet="character")
    values = text_complexity._values(
        lambda texts: text_entropy.measure(texts, config=config), corpus
    )
    assert len(values) == 1 + text_complexity.GROUPS
    kept = "\n".join(words[0] for place, words in corpus if place % text_complexity.GROUPS != 3)
    assert values[4] == text_entropy.measure([kept], config=config).item()
