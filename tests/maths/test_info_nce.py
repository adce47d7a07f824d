"""The bound of a critic's scores, known where scores are."""

import math

import pytest
import torch

from robustinfo.maths.info_nce import info_nce_bits


def test_scores_that_tell_nothing_bound_nothing():
    assert info_nce_bits(torch.zeros(16, 16)).item() == pytest.approx(0, abs=1e-6)
    rows = torch.randn(16, 1, generator=torch.Generator().manual_seed(0)).expand(16, 16)
    assert info_nce_bits(rows).item() == pytest.approx(0, abs=1e-6)


def test_scores_that_tell_all_pairs_reach_log_m_and_none_exceed_it():
    assert info_nce_bits(100 * torch.eye(16)).item() == pytest.approx(4)
    for seed in range(20):
        drawn = torch.randn(16, 16, generator=torch.Generator().manual_seed(seed))
        for scale in (0.1, 10.0, 1e4):
            scores = scale * (drawn + torch.eye(16))
            assert info_nce_bits(scores).item() <= 4 + 1e-5


def test_labels_scored_by_the_true_ratio_have_their_entropy():
    """s = log p(y | t) / p(y), of classes told apart: log2 4 of four equal classes."""
    y = torch.arange(20) % 4
    scores = torch.where(y[:, None] == y, math.log(4), -1e9)
    assert info_nce_bits(scores).item() == pytest.approx(2, abs=1e-6)
