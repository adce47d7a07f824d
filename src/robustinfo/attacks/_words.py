"""What attacks on texts share: steps in the space of embeddings, projected to the nearest words.

Gong et al. (2018), arXiv 1801.07175: move the embeddings of a text by a gradient method that was
made for images, then put the nearest word of the vocabulary (in l2) in every place. They take one
large step; here many add up in the embeddings, and after each the nearest words are evaluated. A
text stops at its first success, so that few of its words change. Padding and unknown words are
neither altered nor inserted.

Known bias: nothing checks whether the new words make sense, or whether a reader would still agree
with the label; the embeddings are the network's own, where words of like effect lie near.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from robustinfo.attacks._frozen import frozen
from robustinfo.attacks._success import fooled
from robustinfo.core.errors import UserError
from robustinfo.datasets._texts import MARKS, UNKNOWN

# Embeddings (n, length, d) -> logits (n, K); only what may move has a gradient.
Logits = Callable[[Tensor], Tensor]
# (logits, embeddings, labels) -> how far to move the embeddings.
Step = Callable[[Logits, Tensor, Tensor], Tensor]

AT_ONCE = 4096  # places whose nearest word is looked for together


def search(
    model: nn.Module, x: Tensor, y: Tensor, step: Step, *, steps: int
) -> tuple[Tensor, Tensor]:
    """Take up to ``steps`` steps on every text that is classified correctly, until it is broken.

    x: (n, length) int64.  y: (n,) labels.  Returns x_adv, and success (n,) bool: misclassified, and
    was correct; a failure returns its x. Raises UserError unless the first layer is ``embedding``.
    """
    name, *_ = dict(model.named_children())
    if name != "embedding":
        raise UserError(
            f"words are attacked through a first layer `embedding`; the model has {name!r}"
        )
    with frozen(model):
        rest = nn.Sequential(*[*model.children()][1:])
        embedding = model.get_submodule(name)
        assert isinstance(embedding, nn.Embedding)
        table = embedding.weight
        gaps = _gaps(table)
        t = embedding(x)  # (n, length, d)
        x_adv, success = x.clone(), torch.zeros_like(y, dtype=torch.bool)
        left = (model(x).argmax(1) == y).nonzero().squeeze(1)
        for _ in range(steps):
            a, b = x[left], y[left]
            t[left] += step(_logits_of_words(rest, a), t[left], b)
            words = nearest_words(t[left], a, table, gaps)
            fools = fooled(model, words, b)
            x_adv[left[fools]], success[left[fools]] = words[fools], True
            left = left[~fools]
            if not len(left):
                break
    return x_adv, success


def _logits_of_words(rest: nn.Module, x: Tensor) -> Logits:
    """``rest`` as a function of embeddings, with no gradient at padding and unknown words."""
    word = (x > UNKNOWN)[:, :, None]
    return lambda t: rest(torch.where(word, t, t.detach()))


def loss_gradient(logits: Logits, t: Tensor, y: Tensor) -> Tensor:
    """The gradient of each text's cross-entropy with respect to its embeddings. Like t."""
    t = t.detach().requires_grad_()
    loss = F.cross_entropy(logits(t), y, reduction="sum")
    return torch.autograd.grad(loss, t)[0]


def nearest_words(t: Tensor, x: Tensor, table: Tensor, gaps: Tensor) -> Tensor:
    """The word whose row of ``table`` is nearest to each place of t (n, length, d): (n, length).

    x: the words that the places come from. gaps: (words,) the distance from each word to the
    nearest other: a place that moved by less than half of it keeps its word without a search.
    """
    moved = (t - table[x]).norm(dim=2) >= gaps[x] / 2
    words = table[len(MARKS) :]
    half_squares = words.square().sum(1) / 2  # |t - w|^2 / 2 = |t|^2 / 2 - t w + |w|^2 / 2
    found = [(half_squares - part @ words.T).argmin(1) for part in t[moved].split(AT_ONCE)]
    return x.masked_scatter(moved, torch.cat(found) + len(MARKS))


def _gaps(table: Tensor) -> Tensor:
    """The distance from each word to the nearest other, (words,); infinite for marks."""
    words = table[len(MARKS) :]
    parts = [table.new_full((len(MARKS),), torch.inf)]
    for number, part in enumerate(words.split(AT_ONCE)):
        distances = torch.cdist(part, words)
        index = torch.arange(len(part), device=table.device)
        distances[index, index + number * AT_ONCE] = torch.inf
        parts.append(distances.amin(1))
    return torch.cat(parts)
