import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from robustinfo.datasets._validation import split_validation

LABELS = st.lists(st.integers(0, 4), min_size=1, max_size=60).map(torch.tensor)
SHARES = st.floats(0, 1, exclude_max=True)
SEEDS = st.integers(0, 2**31)


def split(labels, share, seed=0):
    return split_validation(labels, share, generator=torch.Generator().manual_seed(seed))


@given(LABELS, SHARES, SEEDS)
def test_both_sets_are_sorted_disjoint_and_cover_everything(labels, share, seed):
    train, validation = split(labels, share, seed)
    for indices in (train, validation):
        assert indices.dtype == torch.int64 and (indices.diff() > 0).all()
    assert sorted(torch.cat([train, validation]).tolist()) == list(range(len(labels)))


@given(LABELS, SHARES, SEEDS)
def test_every_class_gives_its_share(labels, share, seed):
    _, validation = split(labels, share, seed)
    for label in labels.unique():
        size = int((labels == label).sum())
        assert int((labels[validation] == label).sum()) == round(share * size)


@given(LABELS, SHARES, SEEDS)
def test_the_same_seed_draws_the_same_images(labels, share, seed):
    first, second = split(labels, share, seed), split(labels, share, seed)
    assert all(torch.equal(a, b) for a, b in zip(first, second, strict=True))


def test_another_seed_draws_other_images():
    labels = torch.arange(1000) % 10
    assert not torch.equal(split(labels, 0.1, seed=1)[1], split(labels, 0.1, seed=2)[1])


def test_a_share_of_zero_leaves_all_images_to_training():
    train, validation = split(torch.arange(7) % 2, 0.0)
    assert train.tolist() == list(range(7)) and validation.shape == (0,)


@pytest.mark.parametrize("share", [-0.1, 1.0, float("nan")])
def test_a_share_outside_zero_to_one_is_refused(share):
    with pytest.raises(ValueError, match=f"share is {share}"):
        split(torch.zeros(3), share)
