import math

import numpy as np
import pytest
import torch
from sklearn.metrics import mutual_info_score

from robustinfo.maths import alike
from robustinfo.maths.binning import entropies_bits, symbols


def test_a_bin_is_the_floor_also_below_zero():
    t = torch.tensor([[-0.6], [-0.5], [-0.1], [0.0], [0.4], [0.5]])
    ids = symbols(t, 0.5)
    same = ids[:, None] == ids
    floors = torch.tensor([-2, -1, -1, 0, 0, 1])
    assert (same == (floors[:, None] == floors).numpy()).all()


def test_the_origin_shifts_the_bins():
    t = torch.tensor([[0.1], [0.4], [0.7]])
    assert symbols(t, 0.5).tolist() == [0, 0, 1]
    assert symbols(t, 0.5, origin=-0.2).tolist() == [0, 1, 1]


def test_in_one_dimension_it_agrees_with_scikit_learn():
    rng = np.random.default_rng(0)
    y = rng.integers(4, size=500)
    t = torch.from_numpy(y + rng.normal(0, 1, 500))[:, None]
    whole, within = entropies_bits(symbols(t, 0.5), y)
    cells = np.floor(t[:, 0].numpy() / 0.5)
    assert whole - within == pytest.approx(mutual_info_score(cells, y) / math.log(2), abs=1e-12)
    assert whole == pytest.approx(mutual_info_score(cells, cells) / math.log(2), abs=1e-12)


def test_the_whole_vector_is_one_symbol():
    t = torch.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    xor = np.array([0, 1, 1, 0])  # neither neuron alone says anything about it
    assert entropies_bits(symbols(t, 0.5), xor) == (2.0, 1.0)
    for neuron in (0, 1):
        whole, within = entropies_bits(symbols(t[:, [neuron]], 0.5), xor)
        assert whole - within == 0


def test_a_copy_of_the_label_carries_its_whole_entropy():
    y = np.array([0] * 8 + [1] * 4 + [5] * 4)
    assert entropies_bits(symbols(torch.from_numpy(y).float()[:, None], 0.5), y) == (1.5, 0.0)


def test_a_constant_carries_nothing():
    assert entropies_bits(symbols(torch.full((6, 3), 2.2), 0.5), np.arange(6)) == (0.0, 0.0)


def test_the_entropy_never_falls_when_bins_are_halved():
    t = torch.randn(400, 2, generator=torch.Generator().manual_seed(0))
    y = np.zeros(400)
    bits = [entropies_bits(symbols(t, 4.0 / 2**k), y)[0] for k in range(8)]
    assert bits == sorted(bits) and bits[0] < bits[-1] <= math.log2(400)


def drawn(*shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0))


REPEATED = drawn(40, 5).repeat(5, 1) + 1e-3 * drawn(200, 5)
LAYERS = {
    "random": drawn(200, 3),
    "duplicates": REPEATED,
    "a single differing column": torch.cat([torch.zeros(200, 40), drawn(200, 1)], 1),
    "powers of two": 2.0 ** torch.randint(60, (200, 2)),
    "beyond 64-bit integers": 1e30 * drawn(200, 1).round(),
    "small and beyond 64-bit integers": torch.cat([drawn(100, 2), 1e25 * drawn(100, 2).round()]),
    "neighbours beyond 2^52": 2.0**55 + 16.0 * torch.randint(9, (200, 1)).double(),
    "double precision": drawn(200, 2).double() * 5,
    "half precision": drawn(200, 2).bfloat16(),
}
EVERY = pytest.mark.parametrize("t", LAYERS.values(), ids=LAYERS.keys())


def by_numpy(t, width, origin=0.0):
    """Ids by sorting whole rows of cells, numbered as they are first met."""
    cells = np.floor((t.double().numpy() - origin) / width) + 0.0
    _, first, inverse = np.unique(cells, axis=0, return_index=True, return_inverse=True)
    return first.argsort().argsort()[inverse.ravel()]


@EVERY
@pytest.mark.parametrize(("width", "origin"), [(0.5, 0.0), (0.3, -1.7)])
def test_rows_are_told_apart_as_numpy_tells_them_apart(t, width, origin):
    before = t.clone()
    assert symbols(t, width, origin).tolist() == by_numpy(t, width, origin).tolist()
    assert t.equal(before)


@EVERY
@pytest.mark.parametrize("values", [1, 7])
def test_rows_that_share_a_hash_by_chance_are_still_told_apart(t, values, monkeypatch):
    real = alike._hash
    monkeypatch.setattr(alike, "_hash", lambda *given: real(*given) % values)
    assert symbols(t, 0.5).tolist() == by_numpy(t, 0.5).tolist()


def test_the_order_of_samples_and_of_neurons_does_not_matter():
    y = np.arange(200) % 3
    expected = entropies_bits(symbols(REPEATED, 0.5), y)
    samples, neurons = torch.randperm(200), torch.randperm(5)
    shuffled = symbols(REPEATED[samples][:, neurons], 0.5)
    assert entropies_bits(shuffled, y[samples.numpy()]) == pytest.approx(expected, abs=1e-12)


def test_rows_wider_than_a_block_are_read_whole(monkeypatch):
    monkeypatch.setattr(alike, "CELLS", 4)
    monkeypatch.setattr(alike, "BLOCK", 2)
    assert symbols(REPEATED, 0.5).tolist() == by_numpy(REPEATED, 0.5).tolist()
