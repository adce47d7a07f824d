import zlib
from itertools import pairwise
from math import log2

import pytest
import torch

from robustinfo.complexities import text_deflate_size, text_entropy
from robustinfo.complexities.text_entropy import Config

SAID = ["the\ncat\nsat", "zoë!", "aaaa", "0123456789 abcdef" * 9]
ALPHABETS = pytest.mark.parametrize("alphabet", ["character", "byte", "bit"])


def entropy(texts, alphabet):
    return text_entropy.measure(texts, config=Config(alphabet=alphabet))


def slow_entropy(symbols):
    """-sum p log2 p, by counting."""
    shares = [symbols.count(symbol) / len(symbols) for symbol in {*symbols}]
    return -sum(share * log2(share) for share in shares)


@pytest.mark.parametrize("said", SAID)
def test_the_entropy_is_that_of_the_shares_of_its_symbols(said):
    code = said.encode()
    bits = "".join(f"{byte:08b}" for byte in code)
    assert entropy([said], "character").item() == pytest.approx(slow_entropy(said))
    assert entropy([said], "byte").item() == pytest.approx(slow_entropy(code) / 8)
    assert entropy([said], "bit").item() == pytest.approx(slow_entropy(bits))


def test_of_a_text_in_ascii_the_byte_entropy_is_an_eighth_of_the_characters():
    # As in arXiv 1810.09650, table 2: 4.556 and 0.569.
    said = [one for one in SAID if one.isascii()]
    assert entropy(said, "byte").allclose(entropy(said, "character") / 8)
    assert not entropy(["zoë"], "byte").allclose(entropy(["zoë"], "character") / 8)


def test_sixteen_characters_equally_often_are_four_bits():
    said = "abcdefghijklmnop"
    assert entropy([said], "character").item() == 4
    assert entropy([said], "byte").item() == 0.5


def test_as_many_ones_as_zeros_are_one_bit():
    assert entropy(["3U\x0f"], "bit").item() == 1  # 00110011 01010101 00001111


@ALPHABETS
def test_every_text_is_measured_alone_and_an_empty_one_has_no_entropy(alphabet):
    found = entropy([*SAID, ""], alphabet)
    assert found.shape == (5,) and found.dtype == torch.float64 and found[-1] == 0
    alone = torch.cat([entropy([one], alphabet) for one in SAID])
    assert found[:-1].equal(alone)
    assert entropy([], alphabet).shape == (0,)


@ALPHABETS
def test_where_the_words_stand_does_not_matter(alphabet):
    one, other = "a dog and a cat", "cat a and dog a"
    assert entropy([one], alphabet).equal(entropy([other], alphabet))


def test_the_deflate_size_is_that_of_the_encoded_text_over_its_words():
    config = text_deflate_size.Config()
    found = text_deflate_size.measure(["one two\nthree", "zoë"], config=config)
    sizes = [len(zlib.compress(said.encode(), 9)) for said in ("one two\nthree", "zoë")]
    assert found.tolist() == [sizes[0] / 3, sizes[1]] and found.dtype == torch.float64


def test_what_repeats_costs_less_and_less():
    texts = ["\n".join(["word", "other"] * n) for n in (1, 10, 100)]
    sizes = text_deflate_size.measure(texts, config=text_deflate_size.Config()).tolist()
    assert all(later < earlier / 4 for earlier, later in pairwise(sizes))


def test_a_text_without_words_has_no_size_per_word():
    with pytest.raises(ValueError, match="text 1 of 2 has no words"):
        text_deflate_size.measure(["a", " \n"], config=text_deflate_size.Config())
