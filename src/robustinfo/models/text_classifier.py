"""A small convolutional network on texts: embedded words, one convolution, the maximum over places.

Kim (2014), arXiv 1408.5882, with windows of one size, as arXiv 1801.07175 attacks it; the
embedding begins at random and is trained with the rest, and no vectors are downloaded. Attacks on
words need its first layer to be called ``embedding``.
"""

from collections import OrderedDict

from pydantic import PositiveInt
from torch import Tensor, nn

from robustinfo.core.errors import UserError
from robustinfo.core.settings import Names, Settings
from robustinfo.datasets._texts import PADDING
from robustinfo.models._network import Network

READS = "texts"
WINDOW = 3  # words
DROPOUT = 0.5  # of the maxima, in training


class Config(Settings):
    embedding_size: PositiveInt = 100  # features of a word
    filters: PositiveInt = 128  # of the convolution
    probes: Names = ("pool1", "fc1")
    activations: Names = ("pool1", "softmax")


class FeaturesFirst(nn.Module):
    """(n, length, d) -> (n, d, length), as convolutions want it."""

    def forward(self, t: Tensor) -> Tensor:  # noqa: D102
        return t.transpose(1, 2)


def build(text_shape: tuple[int, int], num_classes: int, *, config: Config) -> Network:
    """An untrained classifier, words (n, length) int64 -> (n, K) logits.

    text_shape: (length, words of the vocabulary). Raises ValueError for texts without a window.
    """
    length, vocabulary = text_shape
    if length < WINDOW:
        raise UserError(f"windows of {WINDOW} words need longer texts than {length} words")
    embedding = nn.Embedding(vocabulary, config.embedding_size, padding_idx=PADDING)
    # As Keras begins. Torch begins so wide that words stay where chance put them.
    nn.init.uniform_(embedding.weight, -0.05, 0.05)
    nn.init.zeros_(embedding.weight[PADDING])
    layers = OrderedDict(
        embedding=embedding,  # (n, length, embedding_size)
        transpose=FeaturesFirst(),  # (n, embedding_size, length)
        conv1=nn.Conv1d(config.embedding_size, config.filters, WINDOW),
        act1=nn.ReLU(),  # (n, filters, length - WINDOW + 1)
        pool1=nn.AdaptiveMaxPool1d(1),  # (n, filters, 1)
        flatten=nn.Flatten(),
        dropout=nn.Dropout(DROPOUT),
        fc1=nn.Linear(config.filters, num_classes),  # (n, K)
    )
    return Network(layers, config.probes, config.activations)
