import math

import pytest
import torch

from robustinfo.maths import near_pairs as module
from robustinfo.maths.near_pairs import near_pairs


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def drawn(n, d, scale=1.0):
    return scale * torch.randn(n, d, generator=seeded())


OUTLIER = drawn(30, 6)
OUTLIER[3] = 1e8
CLUSTERS = 1e-2 * drawn(30, 6).double()
CLUSTERS[::2] += 1e6  # near pairs, of which products keep no digit
LAYERS = {
    "plain": drawn(30, 6),
    "far from the origin": 1e3 + 1e-2 * drawn(30, 6),
    "duplicates": drawn(10, 6).repeat(3, 1),
    "constant": torch.full((30, 6), 0.7),
    "one outlier": OUTLIER,
    "clusters far apart": CLUSTERS,
    "one neuron": drawn(30, 1),
    "two samples": drawn(2, 6),
    "one sample": drawn(1, 6),
    "tiny": drawn(30, 6, 1e-30),
    "huge": drawn(30, 6, 1e30),
    "wide": drawn(30, 700),
    "half precision": drawn(30, 6).bfloat16(),
}
EVERY = pytest.mark.parametrize("t", LAYERS.values(), ids=LAYERS.keys())


def squared_distances(t):
    return (t.double()[:, None] - t.double()).square().sum(2)


def collected(t, order, **settings):
    """(n, n) distances, infinite where a pair does not appear, and how often each pair does."""
    found, times = torch.full((2, len(t), len(t)), math.inf, dtype=torch.float64)
    times.zero_()
    for rows, others, squared in near_pairs(t, order, **settings):
        seen = squared.isfinite()
        i, j = rows[:, None].expand_as(squared)[seen], others.expand_as(squared)[seen]
        found[i, j] = found[j, i] = squared[seen]
        times[i, j] += 1
        times[j, i] += 1
    return found, times


@EVERY
@pytest.mark.parametrize("quantile", [0.1, 0.5, 1.0])
def test_every_pair_within_reach_appears_once_with_its_distance(t, quantile, monkeypatch):
    monkeypatch.setattr(module, "PANEL", 7)  # 30 samples: four whole panels and a rest
    monkeypatch.setattr(module, "BLOCK", 4)
    monkeypatch.setattr(module, "AXES", 3)  # shadows in fewer dimensions than the layer
    direct = squared_distances(t)
    reach = direct.quantile(quantile).item()
    resolution = max(1e-7 * reach, 1e-300)
    order = torch.randperm(len(t), generator=seeded(1))
    found, times = collected(t, order, reach=reach, resolution=resolution)
    near = (direct <= reach) & ~torch.eye(len(t), dtype=torch.bool)
    assert (times[near] == 1).all() and times.max() <= 1 and times.diagonal().sum() == 0
    torch.testing.assert_close(found[near], direct[near], rtol=0, atol=resolution)
    beyond = times.bool() & ~near
    torch.testing.assert_close(found[beyond], direct[beyond], rtol=1e-2, atol=resolution)


def test_squared_distances_are_the_direct_ones_and_never_negative():
    t = torch.cat([drawn(12, 5), torch.randn(9, 5, generator=seeded(1))])
    found, _ = collected(t, torch.arange(21), reach=math.inf, resolution=math.inf)
    direct = squared_distances(t)
    torch.testing.assert_close(found.fill_diagonal_(0), direct)
    for _, _, squared in near_pairs(1e6 + t, torch.arange(21), reach=1e3, resolution=math.inf):
        assert (squared >= 0).all()


def test_of_a_wide_layer_the_shadows_settle_every_pair():
    t = drawn(300, 2000)
    assert list(near_pairs(t, torch.arange(300), reach=20.0, resolution=1e-7)) == []
    assert squared_distances(t[:50]).fill_diagonal_(math.inf).min() > 1000


def test_the_activations_stay_as_they_are():
    t = drawn(20, 6).double()
    before = t.clone()
    list(near_pairs(t, torch.arange(20), reach=5.0, resolution=0.0))
    assert t.equal(before)
