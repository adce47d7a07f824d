import math

import pytest
import torch

from robustinfo.maths import channel_mask
from robustinfo.maths.channel_mask import label_factor, mask, relevance
from robustinfo.maths.hsic import nhsic, projection
from robustinfo.maths.kernels import gaussian, same_label


def maps(m, channels, side, seed=0):
    """(m, C, side, side) of which each channel knows the label better than the one before."""
    generator = torch.Generator().manual_seed(seed)
    y = torch.arange(m) % 5
    f = torch.randn(m, channels, side, side, generator=generator).relu()
    f[:, :, 0, 0] += y[:, None] * torch.linspace(0, 1, channels)
    return f, y


def one_by_one(f, y):
    s = projection(same_label(y).double())
    kernels = (gaussian(f[:, c].flatten(1).double(), 5.0) for c in range(f.shape[1]))
    return torch.stack([nhsic(projection(kernel), s) for kernel in kernels])


@pytest.mark.parametrize("side", [1, 2, 4])
@pytest.mark.parametrize("m", [40, 150])
def test_values_are_those_of_a_kernel_and_an_inverse_per_channel(m, side):
    f, y = maps(m, 6, side)
    torch.testing.assert_close(relevance(f, y, classes=5), one_by_one(f, y), atol=1e-3, rtol=0)


def test_landmarks_fall_short_by_no_more_than_they_say():
    f, y = maps(300, 8, 3)
    u = label_factor(y, 5)
    t = f.flatten(2).transpose(0, 1).double()
    values, rest = channel_mask._by_landmarks(t, u)
    short = one_by_one(f, y) - values
    assert (short > -1e-9).all() and (short < rest).all() and rest.max() > 1e-3


def test_where_landmarks_do_not_suffice_the_whole_matrix_is_taken(monkeypatch):
    f, y = maps(300, 8, 4)
    asked, whole = [], channel_mask._by_full_matrix

    def noted(*given):
        asked.append(whole(*given))
        return asked[-1]

    monkeypatch.setattr(channel_mask, "_by_full_matrix", noted)
    torch.testing.assert_close(relevance(f, y, classes=5), one_by_one(f, y), atol=1e-5, rtol=0)
    assert len(asked) == 8
    relevance(f[:, :, :1, :1], y, classes=5)
    assert len(asked) == 8


def test_the_values_of_a_batch_are_the_same_ones():
    f, y = maps(100, 6, 2)
    found = channel_mask.batch_relevance(f, y)
    torch.testing.assert_close(found, one_by_one(f, y), atol=1e-9, rtol=0)
    x = torch.rand(100, 3, 4, 4, generator=torch.Generator().manual_seed(1))
    s = projection(gaussian(x.flatten(1), 5.0))
    expected = [nhsic(projection(gaussian(f[:, c].flatten(1), 5.0)), s) for c in range(6)]
    torch.testing.assert_close(channel_mask.batch_dependence(f, x), torch.stack(expected))


def test_of_channels_of_two_values_they_are_a_squared_correlation():
    """K' = (1 - k) / 2 s s^T, s = +-1 and k = exp(-1 / 50), has one eigenvalue, m (1 - k) / 2."""
    y = torch.tensor([0, 0, 0, 0, 1, 1, 1, 1])
    half = torch.tensor([0.0, 0, 0, 1, 0, 1, 1, 1])  # six of eight agree with y: correlation 1/2
    f = torch.stack([y.float(), torch.full((8,), 0.3), half], 1)[:, :, None, None]
    own = 4 * (1 - math.exp(-1 / 50))
    own, label = own / (own + 8e-5), 4 / (4 + 8e-5)  # what the ridge 1e-5 m leaves of each
    found = channel_mask.batch_relevance(f, y)
    assert found.tolist() == pytest.approx([own * label, 0, own * label / 4], abs=1e-9)
    found = channel_mask.batch_dependence(f, half[:, None])
    assert found.tolist() == pytest.approx([own * own / 4, 0, own * own], abs=1e-5)


def test_the_labels_factor_gives_their_projection_with_classes_missing_too():
    y = torch.tensor([0, 3, 3, 1, 0, 3, 1, 1, 1])
    u = label_factor(y, 5)
    torch.testing.assert_close(u @ u.T, projection(same_label(y).double()))


def test_a_constant_channel_has_zero_and_one_that_is_not_finite_has_nan():
    f, y = maps(100, 4, 2)
    f[:, 1] = 3.7
    f[7, 2, 0, 0] = torch.inf
    found = relevance(f, y, classes=5)
    assert found[1] == pytest.approx(0, abs=1e-9)
    assert found.isnan().tolist() == [False, False, True, False]


def test_the_order_of_the_images_does_not_matter():
    f, y = maps(200, 5, 2)
    order = torch.randperm(200, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(
        relevance(f[order], y[order], classes=5), relevance(f, y, classes=5), atol=1e-3, rtol=0
    )


def test_the_mask_cuts_the_channels_that_know_least():
    f, y = maps(400, 20, 1)
    values = relevance(f, y, classes=5)
    assert mask(values, 0.25).nonzero().flatten().tolist() == list(range(5, 20))


@pytest.mark.parametrize(("channels", "cut"), [(512, 26), (64, 3), (20, 1), (8, 0)])
def test_five_per_cent_are_cut_to_the_nearest_channel(channels, cut):
    values = torch.rand(channels, generator=torch.Generator().manual_seed(0))
    keep = mask(values)
    assert (~keep).sum() == cut
    assert cut == 0 or values[~keep].max() < values[keep].min()


def test_of_equal_values_as_many_are_cut_and_what_is_not_a_number_goes_first():
    assert mask(torch.zeros(10), 0.3).tolist() == [False] * 3 + [True] * 7
    assert mask(torch.tensor([0.1, torch.nan, 0.0, 0.5]), 0.25).tolist() == [
        True,
        False,
        True,
        True,
    ]
