import math

import numpy as np
import pytest
import torch
from sklearn.metrics import mutual_info_score

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
