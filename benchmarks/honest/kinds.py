"""The kinds of the honest networks: what each is built as, and how it is trained."""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from torch import nn

from benchmarks.honest import architectures as of
from benchmarks.honest import fitting as by
from benchmarks.honest.ensembles import Ensemble
from benchmarks.honest.quantised import QuantisedReLU, quantised

EPOCHS = {"digits": 40, "mnist": 8, "cifar10": 12}
ATTACKED = {"digits": 20, "mnist": 7, "cifar10": 10}  # epochs of a training against attacks
SMOOTHED = {"method": "label_smoothed", "smoothing": 0.2}
UNSURE = {"method": "entropy_maximised", "weight": 1.0}


class Case(NamedTuple):
    """What a network is judged at, and how it is made."""

    group: str
    kind: str
    dataset: str
    norm: str
    epsilon: float
    seed: int

    @property
    def name(self) -> str:
        """Names its file."""
        return f"{self.dataset}-{self.kind}-{self.norm}-{self.epsilon:g}-{self.seed}"


class Kind(NamedTuple):
    """``train`` changes the network in place, and leaves it in eval mode."""

    build: Callable[[], nn.Module]
    train: Callable[[nn.Module, Case], object]


def plain(
    network: nn.Module, case: Case, loss: dict | None = None, rate: float = 2e-3, longer: int = 1
) -> None:
    epochs, terms = longer * EPOCHS[case.dataset], by.plainly(loss)
    by.fit(network, case.dataset, terms, epochs=epochs, seed=case.seed, learning_rate=rate)


def attacked(network: nn.Module, case: Case, terms: Callable[..., by.Terms]) -> None:
    against = terms(case.norm, case.epsilon)
    by.fit(network, case.dataset, against, epochs=ATTACKED[case.dataset], seed=case.seed)


def certified(network: nn.Module, case: Case) -> None:
    epochs = 2 * EPOCHS[case.dataset]
    by.certifiably(network, case.dataset, case.epsilon, epochs=epochs, seed=case.seed)


def pruned(network: nn.Module, case: Case) -> None:
    by.pruned(network, case.dataset, epochs=EPOCHS[case.dataset], seed=case.seed)


def to_the_end(network: nn.Module, case: Case) -> None:
    by.to_the_end(network, case.dataset, seed=case.seed)


def each(network: nn.Module, case: Case, train: Callable[[nn.Module, Case], object]) -> None:
    """Every member of an ensemble, on its own, in an order of its own."""
    for place, member in enumerate(network.members):
        train(member, case._replace(seed=case.seed + 10 * place))


slowly = partial(plain, rate=1e-3)
pgd, trades = partial(attacked, terms=by.against_pgd), partial(attacked, terms=by.against_kl)
narrow = partial(of.convolutional, 8)
wide_fc, deep = partial(of.connected, (256, 256)), partial(of.connected, (200,) * 6, nn.Sigmoid)
coarse_fc = partial(of.connected, (256, 256), QuantisedReLU)
coarse_cnn = partial(of.convolutional, 8, QuantisedReLU)
colour = partial(of.convolutional, 8, shape=of.COLOUR)

KINDS = {
    "lenet": Kind(of.lenet, plain),
    "lenet_to_the_end": Kind(of.lenet, to_the_end),
    "lenet_tanh": Kind(partial(of.lenet, nn.Tanh), plain),
    "lenet_pgd": Kind(of.lenet, pgd),
    "lenet_trades": Kind(of.lenet, trades),
    "lenet_pruned": Kind(of.lenet, pruned),
    "lenet_smoothed": Kind(of.lenet, partial(plain, loss=SMOOTHED)),
    "lenet_unsure": Kind(of.lenet, partial(plain, loss=UNSURE)),
    "cnn": Kind(of.convolutional, plain),
    "cnn_to_the_end": Kind(narrow, to_the_end),
    "cnn_pgd": Kind(of.convolutional, pgd),
    "cnn_trades": Kind(narrow, trades),
    "cnn_certified": Kind(of.convolutional, certified),
    "cnn_certified_narrow": Kind(partial(of.convolutional, 6), certified),
    "cnn_batch_norm": Kind(partial(narrow, batch_norm=True), plain),
    "cnn_gelu": Kind(partial(narrow, nn.GELU), plain),
    "cnn_pooled": Kind(of.pooled, plain),
    "cnn_dropout": Kind(partial(of.pooled, dropout=0.5), plain),
    "fc": Kind(wide_fc, slowly),
    "fc_narrow": Kind(partial(of.connected, (48, 48)), plain),
    "fc_to_the_end": Kind(wide_fc, to_the_end),
    "fc_pgd": Kind(wide_fc, pgd),
    "fc_sigmoid": Kind(deep, partial(slowly, longer=2)),
    "fc_tanh": Kind(partial(of.connected, (100,) * 3, nn.Tanh), slowly),
    "fc_lipschitz": Kind(partial(wide_fc, lipschitz=True), plain),
    "fc_lipschitz_pgd": Kind(partial(of.connected, (128, 128), lipschitz=True), pgd),
    "fc_pruned": Kind(wide_fc, pruned),
    "linear": Kind(partial(of.connected, ()), plain),
    "one_convolution": Kind(partial(of.one_convolution, 4), plain),
    "resnet": Kind(partial(of.residual, 4), plain),
    "lenet_quantised": Kind(lambda: quantised(of.lenet(QuantisedReLU)), plain),
    "cnn_quantised": Kind(lambda: quantised(coarse_cnn()), plain),
    "cnn_quantised_pgd": Kind(lambda: quantised(coarse_cnn()), pgd),
    "fc_quantised": Kind(lambda: quantised(coarse_fc()), slowly),
    "ensemble": Kind(partial(Ensemble, narrow), partial(each, train=plain)),
    "ensemble_pgd": Kind(partial(Ensemble, narrow), partial(each, train=pgd)),
    "ensemble_to_the_end": Kind(partial(Ensemble, narrow), partial(each, train=to_the_end)),
    "ensemble_probabilities": Kind(
        partial(Ensemble, narrow, of_probabilities=True), partial(each, train=plain)
    ),
    "colour_cnn": Kind(colour, plain),
    "colour_cnn_to_the_end": Kind(colour, to_the_end),
    "colour_cnn_pgd": Kind(colour, pgd),
    "colour_cnn_trades": Kind(colour, trades),
    "colour_cnn_certified": Kind(colour, certified),
    "colour_quantised": Kind(lambda: quantised(coarse_cnn(shape=of.COLOUR)), plain),
    "colour_ensemble": Kind(partial(Ensemble, colour), partial(each, train=plain)),
    "colour_resnet": Kind(partial(of.residual, 4, of.COLOUR), plain),
}
