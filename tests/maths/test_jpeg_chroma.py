import pytest
import torch

from robustinfo.maths.jpeg_chroma import downsample, upsample


def samples(h, w):
    draw = torch.Generator().manual_seed(h * 100 + w)
    return torch.randint(256, (2, h, w, 3), dtype=torch.int16, generator=draw)


def slow_halved(x):
    """h2v2_downsample of libjpeg's jcsample.c, one sample at a time."""
    return [
        [(sum(x[r + i][c + j] for i in (0, 1) for j in (0, 1)) + 1 + c // 2 % 2) >> 2
         for c in range(0, len(x[0]), 2)]
        for r in range(0, len(x), 2)
    ]  # fmt: skip


def slow_doubled(x):
    """h2v2_fancy_upsample of libjpeg's jdsample.c, one sample at a time."""
    last_row, last = len(x) - 1, len(x[0]) - 1
    out = []
    for row in range(2 * len(x)):
        near = x[row // 2]
        far = x[min(max(row // 2 + (1 if row % 2 else -1), 0), last_row)]
        sums = [3 * a + b for a, b in zip(near, far, strict=True)]
        line = []
        for c, here in enumerate(sums):
            line.append((3 * here + sums[c - 1] + 8) >> 4 if c else (4 * here + 8) >> 4)
            line.append((3 * here + sums[c + 1] + 7) >> 4 if c < last else (4 * here + 7) >> 4)
        out.append(line)
    return out


def one_by_one(function, x):
    """function on the nested lists of every (h, w) of (c, h, w, n)."""
    planes = [[function(x[c, :, :, n].tolist()) for c in range(2)] for n in range(x.shape[3])]
    return torch.tensor(planes, dtype=torch.int16).permute(1, 2, 3, 0)


@pytest.mark.parametrize("h, w", [(2, 2), (8, 16), (6, 10)])
def test_halved_is_libjpegs_loop(h, w):
    assert downsample(samples(h, w)).equal(one_by_one(slow_halved, samples(h, w)))


@pytest.mark.parametrize("h, w", [(1, 3), (2, 3), (8, 8), (5, 7)])
def test_doubled_is_libjpegs_loop(h, w):
    assert upsample(samples(h, w)).equal(one_by_one(slow_doubled, samples(h, w)))


@pytest.mark.parametrize("w", [1, 2])
def test_two_columns_or_fewer_are_repeated(w):
    x = samples(3, w)
    assert upsample(x)[:, 0::2, 0::2].equal(x)
    assert upsample(x)[:, 1::2, 1::2].equal(x)


@pytest.mark.parametrize("value", [0, 128, 255])
def test_one_colour_stays_that_colour(value):
    x = torch.full((2, 8, 8, 1), value, dtype=torch.int16)
    assert (downsample(x) == value).all()
    assert (upsample(x) == value).all()
