import pytest
import torch

from robustinfo.maths.plasma import plasma


def seeded():
    return torch.Generator().manual_seed(0)


def slow(n, size, decay, generator):
    """The same cell by cell: the middle of every square, then of every diamond."""
    clouds, step, wibble = torch.zeros(n, size, size, dtype=torch.float64), size, 100.0
    while step >= 2:
        half, cells = step // 2, size // step
        draws = [
            wibble**2
            * (2 * torch.rand(n, cells, cells, generator=generator, dtype=torch.float64) - 1)
            for _ in range(3)
        ]
        for kind, (down, right) in enumerate([(half, half), (0, half), (half, 0)]):
            apart = [(a, b) for a in (-half, half) for b in (-half, half)] if kind == 0 else [
                (-half, 0), (half, 0), (0, -half), (0, half)]  # fmt: skip
            for i in range(cells):
                for j in range(cells):
                    r, c = i * step + down, j * step + right
                    around = [clouds[:, (r + a) % size, (c + b) % size] for a, b in apart]
                    clouds[:, r, c] = sum(around) / 4 + draws[kind][:, i, j]
        step, wibble = half, wibble / decay
    low, high = clouds.amin((1, 2), keepdim=True), clouds.amax((1, 2), keepdim=True)
    return (clouds - low) / (high - low)


@pytest.mark.parametrize("size", [2, 4, 32])
def test_it_is_the_diamond_square_algorithm_cell_by_cell(size):
    torch.testing.assert_close(plasma(2, size, 2.5, seeded()), slow(2, size, 2.5, seeded()))


def test_clouds_reach_from_0_to_1_and_are_smoother_with_more_decay():
    rough, smooth = (plasma(8, 64, decay, seeded()) for decay in (1.4, 3.0))
    for clouds in (rough, smooth):
        assert (clouds.amin((1, 2)) == 0).all() and (clouds.amax((1, 2)) == 1).all()
    assert not rough[0].equal(rough[1])
    assert smooth.diff(dim=1).abs().mean() < 0.5 * rough.diff(dim=1).abs().mean()
