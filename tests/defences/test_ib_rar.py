import copy
from collections import OrderedDict

import pytest
import torch
from pydantic import ValidationError
from torch import nn
from torch.nn import functional as F

from pipeline.run.code import _methods
from robustinfo.attacks import adaptive
from robustinfo.core import registry
from robustinfo.core.errors import UserError
from robustinfo.defences import entropic, ib_rar
from robustinfo.maths.channel_mask import relevance
from robustinfo.maths.kernels import gaussian_label
from robustinfo.models import lenet5
from robustinfo.models._mask import ChannelMask
from robustinfo.models._network import Network

LOSS = {"method": "cross_entropy"}
STANDARD = {"method": "standard", "loss": LOSS}
PGD = {"epsilon": 0.1, "step_size": 0.03, "steps": 3}
ADVERSARIAL = {"method": "adversarial", "loss": LOSS, "attack": PGD}
MIXED = ADVERSARIAL | {"clean_share": 0.5}
TRADES = {"method": "trades", "loss": LOSS, "attack": PGD}
MART = {"method": "mart", "attack": PGD}
ENTROPIC = {"method": "entropic", "loss": LOSS, "weight": 1.0, "factor": 2.0}


@pytest.fixture
def model():
    torch.manual_seed(0)
    return lenet5.build((1, 28, 28), 10, config=lenet5.Config())


@pytest.fixture
def data(generator):
    return torch.rand(30, 1, 28, 28, generator=generator), torch.arange(30) % 10


def loss_terms(model, data, *, base=STANDARD, state=None, seed=0, **settings):
    return ib_rar.loss_terms(
        model,
        *data,
        config=ib_rar.Config(base=base, **settings),
        generator=torch.Generator().manual_seed(seed),
        state=state or {},
    )


def printed(t, other):
    """nHSIC of two matrices of samples by its formula, in float64."""
    t, other = t.flatten(1).double(), other.flatten(1).double()
    m = len(t)
    h = torch.eye(m, dtype=t.dtype) - 1 / m

    def projected(kernel):
        kernel = h @ kernel @ h
        return kernel @ torch.inverse(kernel + 1e-5 * m * torch.eye(m, dtype=t.dtype))

    def kernel(t):
        squared = (t[:, None] - t[None]).square().sum(2)
        return torch.exp(-squared / (2 * 25 * t.shape[1]))

    labels = other.shape[1] == 10 and ((other == 0) | (other == 1)).all()
    return torch.trace(
        projected(kernel(t)) @ projected(other @ other.T if labels else kernel(other))
    )


def slow_terms(model, x, y, layers):
    _, seen = model.observe(x, layers)
    return (
        0.008 * sum(printed(t, x) for t in seen.values()),
        -0.08 * sum(printed(t, F.one_hot(y, 10)) for t in seen.values()),
    )


@pytest.mark.parametrize("layers", [None, ("fc1", "fc2"), ("conv2",)])
def test_the_terms_are_their_formulas_with_the_papers_weights(model, data, layers):
    found = loss_terms(model, data, layers=layers)
    expected = slow_terms(model, *data, layers or model.probes)
    assert found["clean"].equal(F.cross_entropy(model(data[0]), data[1]))
    assert found["compression"].item() == pytest.approx(expected[0].item(), rel=1e-4)
    assert found["relevance"].item() == pytest.approx(expected[1].item(), rel=1e-4)
    assert found["relevance"] < 0 < found["compression"]


def test_their_gradient_is_that_of_the_formulas(model, data):
    twin = copy.deepcopy(model).double()
    x, y = data
    sum(slow_terms(twin, x.double(), y, twin.probes)).backward()
    found = loss_terms(model, data)
    (found["compression"] + found["relevance"]).backward()
    slopes = [
        torch.cat([weight.grad.double().flatten() for weight in one.parameters()])
        for one in (model, twin)
    ]
    assert (slopes[0] - slopes[1]).norm() < 1e-3 * slopes[1].norm()


@pytest.mark.parametrize(
    "base, information_of",
    [(STANDARD, "clean")]
    + [
        (one, of)
        for one in (ADVERSARIAL, MIXED, TRADES, MART)
        for of in ("clean", "adversarial", "adversarial_activations")
    ],
    ids=str,
)
def test_without_weights_the_base_is_left_bit_for_bit(base, information_of, model, data):
    none = {"compression": 0.0, "relevance": 0.0}
    found = loss_terms(model, data, base=base, information_of=information_of, **none)
    generator = torch.Generator().manual_seed(0)
    expected = registry.get("defences", base)(model, *data, generator=generator)
    assert not found.pop("compression") and not found.pop("relevance")
    assert list(found) == list(expected)
    assert all(found[name].equal(expected[name]) for name in expected)


def by_passes_of_its_own(model, x, y, base):
    """The base's terms, then a pass for the layers: as it is where the base shares none."""
    generator = torch.Generator().manual_seed(0)
    terms = registry.get("defences", base)(model, x, y, generator=generator)
    logits, seen = model.observe(x, model.probes)
    layers = [*seen.values()]
    information = ib_rar._information(x, y, logits.shape[1], layers, ib_rar.Config(base=base))
    return terms | {"compression": 0.008 * information[0], "relevance": -0.08 * information[1]}


@pytest.mark.parametrize("base", [STANDARD, ADVERSARIAL, MIXED, TRADES, MART], ids=str)
def test_sharing_a_pass_changes_the_terms_by_no_bit_and_their_gradient_by_rounding(
    base, model, data
):
    terms = loss_terms(model, data, base=base), by_passes_of_its_own(model, *data, base)
    assert list(terms[0]) == list(terms[1])
    assert all(value.equal(terms[1][name]) for name, value in terms[0].items())
    slopes = [
        torch.cat([s.flatten() for s in torch.autograd.grad(sum(one.values()), model.parameters())])
        for one in map(dict, terms)
    ]
    assert (slopes[0] - slopes[1]).norm() < 2e-5 * slopes[1].norm()
    if base is ADVERSARIAL:  # there is none to share
        assert slopes[0].equal(slopes[1])


class Counted(nn.Module):
    """Notes the images of each pass."""

    def __init__(self):
        super().__init__()
        self.seen = []

    def forward(self, x):
        self.seen.append(x.detach())
        return x


def counted():
    torch.manual_seed(0)
    layers = OrderedDict(
        count=Counted(), flatten=nn.Flatten(), norm=nn.BatchNorm1d(784), fc1=nn.Linear(784, 20),
        relu=nn.ReLU(), fc2=nn.Linear(20, 10),
    )  # fmt: skip
    return Network(layers, ("fc1", "fc2"), ())


def passes(get_terms):
    """How many in eval mode, which attacks make, and how many with gradients for the weights."""
    model = counted().train()
    get_terms(model)
    trained = int(model.norm.num_batches_tracked)
    return len(model.count.seen) - trained, trained


@pytest.mark.parametrize(
    "base, information_of, more",
    [
        (STANDARD, "clean", 0),
        (ADVERSARIAL, "clean", 1),  # no pass over clean images
        (ADVERSARIAL, "adversarial", 0),
        (MIXED, "clean", 0),
        (MIXED, "adversarial", 0),
        (TRADES, "clean", 0),
        (TRADES, "adversarial", 0),
        (TRADES | {"weight": 0.0}, "clean", 0),
        (MART, "clean", 0),
        (MART, "adversarial", 0),
    ],
    ids=str,
)
def test_the_bases_adversaries_are_made_once_and_a_pass_over_the_images_serves_both(
    base, information_of, more, data
):
    def alone(model):
        registry.get("defences", base)(model, *data, generator=torch.Generator().manual_seed(0))

    def around(model):
        loss_terms(model, data, base=base, information_of=information_of)

    attacking, trained = passes(alone)
    assert passes(around) == (attacking, trained + more)


@pytest.mark.parametrize("base", [ADVERSARIAL, MIXED, TRADES, MART], ids=str)
def test_the_terms_may_be_those_of_the_images_that_the_base_trains_on(base, model, data):
    found = loss_terms(model, data, base=base, information_of="adversarial", layers=("fc1", "fc2"))
    x_adv = registry.module("defences", base).adversaries(
        model, *data, config=registry.config("defences", base),
        generator=torch.Generator().manual_seed(0),
    )  # fmt: skip
    expected = slow_terms(model, x_adv, data[1], ("fc1", "fc2"))
    clean = loss_terms(model, data, base=base, layers=("fc1", "fc2"))
    for name, value in zip(("compression", "relevance"), expected, strict=True):
        assert found[name].item() == pytest.approx(value.item(), rel=1e-4)
        assert clean[name].item() != pytest.approx(value.item(), rel=1e-3)


@pytest.mark.parametrize(
    "base, passes", [(ADVERSARIAL, 1), (MIXED, 2), (TRADES, 2), (MART, 2)], ids=str
)
def test_the_published_code_has_clean_images_and_the_activations_of_every_pass(
    base, passes, model, data
):
    layers = ("fc1", "fc2")
    found = loss_terms(
        model, data, base=base, information_of="adversarial_activations", layers=layers
    )
    x_adv = registry.module("defences", base).adversaries(
        model, *data, config=registry.config("defences", base),
        generator=torch.Generator().manual_seed(0),
    )  # fmt: skip
    given = (x_adv, data[0])[:passes]  # PGD has no pass over clean images
    seen = [t for x in given for t in model.observe(x, layers)[1].values()]
    of_input = 0.008 * sum(printed(t, data[0]) for t in seen)
    of_label = -0.08 * sum(printed(t, F.one_hot(data[1], 10)) for t in seen)
    assert found["compression"].item() == pytest.approx(of_input.item(), rel=1e-4)
    assert found["relevance"].item() == pytest.approx(of_label.item(), rel=1e-4)


@pytest.mark.parametrize("base", [STANDARD, ENTROPIC], ids=str)
def test_adversarial_information_around_a_base_without_adversaries_is_refused(base, model, data):
    config = ib_rar.Config(base=base, information_of="adversarial", masked_share=0.0)
    said = f"`information_of: adversarial`.*'{base['method']}'.*clean`"
    said += ".*: adversarial, consistency, mart, trades"
    with pytest.raises(UserError, match=said):
        ib_rar.prepare(model, lambda: [data], config=config)


def test_around_adversarial_training_the_terms_are_those_of_the_clean_images(model, data):
    found, plain = loss_terms(model, data, base=ADVERSARIAL), loss_terms(model, data)
    assert found.keys() == {"adversarial", "compression", "relevance"}
    assert found["compression"].equal(plain["compression"])
    assert found["relevance"].equal(plain["relevance"])


def test_what_the_base_prepares_reaches_it(model, data):
    base = ENTROPIC
    config = ib_rar.Config(base=base, masked_share=0.0)
    _, state = ib_rar.prepare(model, lambda: [data], config=config)
    assert state.keys() == {"pretrained_flow"}
    found = loss_terms(model, data, base=base, state=state)
    own = registry.config("defences", base)
    expected = entropic.loss_terms(model, *data, config=own, generator=None, state=state)
    assert found["entropic"].equal(expected["entropic"]) and found["entropic"] > 0
    assert (
        ib_rar.prepare(
            model, lambda: [data], config=ib_rar.Config(base=STANDARD, masked_share=0.0)
        )[1]
        == {}
    )


def test_a_gaussian_label_kernel_needs_every_class_of_the_model_and_not_of_the_batch(model, data):
    x, y = data[0], data[1] % 3
    linear, gaussian = (
        loss_terms(model, (x, y), label_kernel=name)["relevance"] for name in ("linear", "gaussian")
    )
    assert linear < gaussian < 0  # a smaller kernel, of which the ridge leaves less
    assert gaussian_label(y, 10).unique().tolist() == pytest.approx([-0.003992, 0], abs=1e-6)


def test_autocast_does_not_lower_the_precision_of_the_terms(data):
    """The layer is the image itself, which autocast leaves as it is."""
    layers = OrderedDict(flatten=nn.Flatten(), fc=nn.Linear(784, 10))
    model = Network(layers, ("flatten",), ())
    plain = loss_terms(model, data)
    with torch.autocast("cpu", torch.bfloat16):
        mixed = loss_terms(model, data)
    assert mixed["compression"].equal(plain["compression"])
    assert mixed["relevance"].equal(plain["relevance"])


def attack_term(model, x, y, base=STANDARD, state=None):
    config = ib_rar.Config(base=base)
    return ib_rar.attack_term(model, x, y, config=config, state=state or {})[1]


def test_an_adaptive_attacker_climbs_the_terms_of_the_batch_summed_over_its_images(model, data):
    terms = loss_terms(model, data)
    expected = 30 * (terms["compression"] + terms["relevance"])
    torch.testing.assert_close(attack_term(model, *data), expected)


def test_it_sees_how_the_input_moves_the_kernel_of_the_inputs(model, data):
    x, y = data[0].clone().requires_grad_(), data[1]
    (slope,) = torch.autograd.grad(attack_term(model, x, y), x)
    step = torch.rand(x.shape, generator=torch.Generator().manual_seed(1)) - 0.5
    twin = copy.deepcopy(model).double()
    ends = [
        sum(slow_terms(twin, x.detach().double() + sign * 1e-4 * step, y, twin.probes))
        for sign in (1, -1)
    ]
    expected = 30 * (ends[0] - ends[1]) / 2e-4
    assert (slope * step).sum().item() == pytest.approx(expected.item(), rel=1e-3)


def test_of_a_base_with_a_term_of_its_own_it_climbs_that_too(model, data):
    base = ENTROPIC
    state = {"pretrained_flow": torch.tensor(3.0)}
    own = registry.config("defences", base)
    _, expected = entropic.attack_term(model, *data, config=own, state=state)
    terms = loss_terms(model, data)
    expected = expected + 30 * (terms["compression"] + terms["relevance"])
    torch.testing.assert_close(attack_term(model, *data, base, state), expected)


def test_the_attack_finds_a_higher_term_than_it_started_from(model, data, generator):
    x, y = data[0], model(data[0]).argmax(1)
    reached = []

    def spied(x, y):
        found = ib_rar.attack_term(model, x, y, config=ib_rar.Config(base=STANDARD), state={})
        reached.append(found[1].item() / len(x))  # images that fall leave
        return found

    config = adaptive.Config(
        epsilon=0.05, step_size=0.01, steps=5, weights=[10.0], objectives=["cross_entropy"],
        random_start=False,
    )  # fmt: skip
    adaptive.perturb(model, x, y, config=config, generator=generator, term=spied)
    assert reached[-1] > reached[0]


def test_a_layer_that_is_no_probe_is_refused_with_the_choices(model, data):
    config = ib_rar.Config(base=STANDARD, layers=("fc9",))
    with pytest.raises(ValueError, match=r"no probe 'fc9'.*conv1, conv2, fc1, fc2, fc3"):
        ib_rar.prepare(model, lambda: [data], config=config)


def test_a_model_without_probes_is_refused(data):
    model = Network(OrderedDict(flatten=nn.Flatten(), fc=nn.Linear(784, 10)), (), ())
    with pytest.raises(ValueError, match="at least one layer"):
        loss_terms(model, data)


def test_it_is_not_wrapped_around_itself():
    with pytest.raises(ValidationError, match="another defence"):
        ib_rar.Config(base={"method": "ib_rar", "base": STANDARD})


def test_a_job_that_runs_it_depends_on_the_file_of_its_base():
    entry = {"method": "ib_rar", "base": ADVERSARIAL}
    assert set(_methods("defences", entry)) == {
        ("defences", "ib_rar"), ("defences", "adversarial"), ("losses", "cross_entropy"),
    }  # fmt: skip


def masked_network():
    """Twenty channels of one image, of which the fourth is always 0."""
    torch.manual_seed(0)
    layers = OrderedDict(
        conv=nn.Conv2d(1, 20, 3), act=nn.ReLU(), mask=ChannelMask(20),
        average=nn.AdaptiveAvgPool2d(1), flatten=nn.Flatten(), fc=nn.Linear(20, 10),
    )  # fmt: skip
    with torch.no_grad():
        layers["conv"].weight[3] = layers["conv"].bias[3] = 0.0
    return Network(layers, ["fc"], ["act"]).eval()


def test_the_channel_that_tells_nothing_is_cut_for_good(data):
    model, config = masked_network(), ib_rar.Config(base=STANDARD)  # 5 % of 20 channels
    before = model(data[0])
    ib_rar.finish(model, *data, config=config)
    assert model.mask.passes.tolist() == [float(channel != 3) for channel in range(20)]
    assert model(data[0]).equal(before)  # it was 0 already
    assert "mask.passes" in model.state_dict()


def test_a_cut_channel_is_one_that_the_next_layer_cannot_see(data):
    model, config = masked_network(), ib_rar.Config(base=STANDARD, masked_share=0.3)
    ib_rar.finish(model, *data, config=config)
    cut = model.mask.passes == 0
    assert cut.sum() == 6 and cut[3]
    twin = masked_network()
    with torch.no_grad():
        twin.fc.weight[:, cut] = 0.0
    torch.testing.assert_close(model(data[0]), twin(data[0]))
    maps = twin.observe(data[0], ("act",))[1]["act"].view(30, 20, -1, 1)
    tells = relevance(maps, data[1], classes=10)
    assert tells[cut].max() < tells[~cut].min()


def test_a_model_without_a_mask_is_refused_before_it_is_trained(model, data):
    assert not ib_rar.finishes(ib_rar.Config(base=STANDARD, masked_share=0.0))
    with pytest.raises(UserError, match="no channel mask; set `masked_share: 0`"):
        ib_rar.prepare(model, lambda: [data], config=ib_rar.Config(base=STANDARD))
