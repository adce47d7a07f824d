import pytest
import torch
from torch import nn
from torch.nn import functional as F

from robustinfo.datasets._texts import PADDING
from robustinfo.models import text_classifier


def build(shape=(12, 50), classes=3, **settings):
    torch.manual_seed(0)
    return text_classifier.build(shape, classes, config=text_classifier.Config(**settings)).eval()


def words(n=4, length=12, vocabulary=50):
    return torch.randint(vocabulary, (n, length), generator=torch.Generator().manual_seed(1))


def test_every_weight_is_in_the_embedding_the_convolution_or_the_last_layer():
    model = build((400, 20_002), 2)
    count = sum(weight.numel() for weight in model.parameters())
    assert count == 20_002 * 100 + 128 * (100 * 3 + 1) + 2 * (128 + 1)


def test_the_logits_are_those_of_the_formula_window_by_window():
    model, x = build(filters=5, embedding_size=4), words()
    t = F.embedding(x, model.embedding.weight)  # (n, 12, 4)
    windows = t.unfold(1, 3, 1).flatten(2)  # (n, 10, 4 * 3): d, then the place in the window
    features = windows @ model.conv1.weight.flatten(1).T + model.conv1.bias  # (n, 10, 5)
    expected = model.fc1(features.relu().amax(1))
    torch.testing.assert_close(model(x), expected)


def test_the_order_of_words_beyond_a_window_does_not_matter_but_that_within_does():
    model = build((12, 50))
    rows = ([2, 3, 4, 0, 0, 5, 6, 7], [5, 6, 7, 0, 0, 2, 3, 4], [4, 3, 2, 0, 0, 7, 6, 5])
    x = torch.tensor([[0, 0, *row, 0, 0] for row in rows])
    one, moved, turned = model(x)
    torch.testing.assert_close(one, moved)
    assert not torch.allclose(one, turned)


def test_padding_is_zero_before_and_after_a_step():
    model, x = build(), words()
    assert model.embedding.weight[PADDING].eq(0).all()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.1)
    F.cross_entropy(model(x), torch.tensor([0, 1, 2, 0])).backward()
    optimizer.step()
    assert model.embedding.weight[PADDING].eq(0).all()
    assert model.embedding.weight[x.max()].ne(0).all()


def test_its_points_are_the_maxima_and_the_logits():
    model, x = build(), words()
    logits, seen = model.observe(x, (*model.probes, *model.activations))
    assert logits.equal(model(x)) and list(seen) == ["pool1", "fc1", "softmax"]
    assert seen["pool1"].shape == (4, 128) and (seen["pool1"] >= 0).all()


def test_dropout_is_of_the_training_only():
    model, x = build(), words()
    assert model(x).equal(model(x))
    assert not model.train()(x).equal(model(x))
    assert isinstance(model.dropout, nn.Dropout) and model.dropout.p == 0.5


def test_texts_shorter_than_a_window_are_refused_with_both_lengths():
    with pytest.raises(ValueError, match=r"windows of 3 words .* than 2 words"):
        build((2, 50))
