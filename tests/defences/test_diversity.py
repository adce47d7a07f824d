import math

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from robustinfo.attacks import adaptive
from robustinfo.core.errors import UserError
from robustinfo.defences import diversity, standard
from robustinfo.defences.diversity import log_determinant
from robustinfo.models import ensemble, lenet5, pytorch_cnn
from robustinfo.training import loop

LOSS = {"method": "cross_entropy"}
SHAPE = (1, 28, 28)


def build(members=3):
    torch.manual_seed(0)
    config = ensemble.Config(network={"method": "pytorch_cnn"}, members=members)
    return ensemble.build(SHAPE, 10, config=config)


def terms(model, data, **settings):
    config = diversity.Config(loss=LOSS, **settings)
    return diversity.loss_terms(model, *data, config=config, generator=torch.Generator())


def by_hand(logits, y):
    """Of one image: its members' cross-entropies, the entropy of their mean, the determinant's log.

    logits: (members, K).
    """
    p = np.exp(np.asarray(logits, dtype=np.float64))
    p /= p.sum(axis=1, keepdims=True)
    mean = p.mean(axis=0)
    rows = []
    for member in p:
        wrong = np.array([value for label, value in enumerate(member) if label != y])
        rows.append(wrong / np.sqrt((wrong**2).sum()))
    gram = np.array([[one @ other for other in rows] for one in rows])
    det = np.linalg.det(gram + 1e-6 * np.eye(len(p)))
    return -np.log(p[:, y]).sum(), -(mean * np.log(mean)).sum(), math.log(det)


def by_qr(logits, y):
    """The same logarithm without products: det(A^T A) of A, M^T over 1e-3 I, is that of its R."""
    wrong = torch.stack([row[:, torch.arange(10) != k] for row, k in zip(logits, y, strict=True)])
    rows = (wrong.double() - wrong.double().amax(2, keepdim=True)).exp()
    rows = rows / rows.norm(dim=2, keepdim=True)
    offset = 1e-3 * torch.eye(rows.shape[1], dtype=torch.float64).expand(len(y), -1, -1)
    factor = torch.linalg.qr(torch.cat([rows.mT, offset], 1)).R
    return 2 * factor.diagonal(dim1=1, dim2=2).abs().log().sum(1)


@pytest.fixture
def model():
    return build()


@pytest.fixture
def data(generator):
    return torch.rand(20, *SHAPE, generator=generator), torch.arange(20) % 10


@pytest.mark.parametrize("members", [1, 2, 3, 5])
def test_its_terms_are_those_of_its_slow_twin(data, members, generator):
    model, (x, y) = build(members), data
    for member in model.members:  # several classes win
        member.fc2.weight.data *= 20
    _, logits = ensemble.member_logits(model, x)
    found = terms(model, data)
    expected = np.mean([by_hand(*one) for one in zip(logits.detach(), y, strict=True)], axis=0)
    assert list(found) == ["clean", "entropy", "diversity"]
    values = [term.item() for term in found.values()]
    assert values == pytest.approx([expected[0], -2 * expected[1], -0.5 * expected[2]], rel=1e-5)


def test_the_terms_are_weighed_as_told_and_without_weight_members_learn_side_by_side(model, data):
    base, other = terms(model, data), terms(model, data, entropy=1.0, diversity=2.0)
    assert other["entropy"] * 2 == base["entropy"] and other["diversity"] == base["diversity"] * 4
    assert other["clean"] == base["clean"]
    sum(terms(model, data, entropy=0.0, diversity=0.0).values()).backward()
    for number, member in enumerate(model.members):
        torch.manual_seed(0)
        twin = [pytorch_cnn.build(SHAPE, 10, config=pytorch_cnn.Config()) for _ in range(3)][number]
        config = standard.Config(loss=LOSS)
        alone = standard.loss_terms(twin, *data, config=config, generator=torch.Generator())
        alone["clean"].backward()
        for one, own in zip(member.parameters(), twin.parameters(), strict=True):
            torch.testing.assert_close(one.grad, own.grad)


@pytest.mark.parametrize("degrees", [0, 30, 60, 90])
def test_two_members_determinant_is_the_squared_sine_of_their_angle_and_the_offset(degrees):
    """The first leaves all to class 1, the second cos to class 1 and sin to class 2; 0 is true."""
    angle = math.radians(degrees)
    other = torch.tensor([math.cos(angle), math.sin(angle)]).clamp(min=1e-30).log()
    logits = torch.stack([torch.tensor([3.0, 0.0, -99.0]), torch.cat([torch.zeros(1), other])])
    expected = (1 + 1e-6) ** 2 - math.cos(angle) ** 2
    found = log_determinant(logits[None].double(), torch.tensor([0]))
    assert found.item() == pytest.approx(math.log(expected), abs=1e-6)


def test_the_determinant_is_one_where_members_share_no_wrong_class_and_least_where_they_agree():
    y = torch.tensor([9])
    apart = 200 * F.one_hot(torch.tensor([[1, 4, 7]]), 10).float()
    assert log_determinant(apart, y).item() == pytest.approx(3 * math.log1p(1e-6), abs=1e-7)
    agreed = torch.randn(1, 1, 10).expand(1, 3, 10)
    least = math.log(3 + 1e-6) + 2 * math.log(1e-6)
    assert log_determinant(agreed, y).item() == pytest.approx(least, abs=1e-5)


def test_one_member_too_many_for_the_wrong_classes_takes_the_offset_off(generator):
    """Three members and two wrong classes: two eigenvalues of M M^T, whose sum is 3, and a 0."""
    logits = 3 * torch.randn(50, 3, 3, generator=generator)
    found = log_determinant(logits, torch.arange(50) % 3)
    assert (found <= math.log(1e-6) + 2 * math.log(1.5 + 1e-6) + 1e-5).all()


def test_how_sure_a_member_is_of_the_label_changes_nothing_in_the_determinant(generator):
    y = torch.arange(20) % 10
    logits = torch.randn(20, 3, 10, generator=generator)
    sure = logits + 10.0 ** torch.arange(3)[:, None] * F.one_hot(y, 10)[:, None]
    sure.requires_grad_()
    found = log_determinant(sure, y)
    assert found.equal(log_determinant(logits, y))
    (gradient,) = torch.autograd.grad(found.sum(), sure)
    own = y[:, None, None].expand(-1, 3, 1)
    assert not gradient.gather(2, own).any() and gradient.abs().amax((1, 2)).gt(1e-3).all()


CASES = {
    "apart": (1.0, 3.0, 0.0),
    "agreed": (1.0, 0.0, 0.0),
    "nearly agreed": (1.0, 1e-3, 0.0),
    "sure of the label": (0.0, 3.0, 200.0),
    "thousands apart": (0.0, 1e3, 0.0),
}


@pytest.mark.parametrize("case", CASES)
def test_in_float32_the_determinants_logarithm_is_right_to_2e_6_and_its_gradient(case, generator):
    """And to 1e-6 of the greatest gradient; where members agree, that is 0."""
    shared, own, label = CASES[case]
    y = torch.arange(200) % 10
    logits = shared * torch.randn(200, 1, 10, generator=generator)
    logits = logits + own * torch.randn(200, 3, 10, generator=generator)
    logits = (logits + label * F.one_hot(y, 10)[:, None]).requires_grad_()
    found, expected = log_determinant(logits, y), by_qr(logits, y)
    assert found.dtype == torch.float32 and expected.dtype == torch.float64
    torch.testing.assert_close(found.double(), expected, rtol=0, atol=2e-6)
    gradient, true = (torch.autograd.grad(t.sum(), logits)[0] for t in (found, expected))
    assert (gradient - true).abs().max() <= 1e-6 * true.abs().max() + 1e-8


def test_the_gradients_of_both_terms_are_those_of_differences(generator):
    logits = torch.randn(4, 3, 5, generator=generator).double().requires_grad_()
    y, mixture = torch.tensor([0, 4, 2, 1]), build().mixture
    assert torch.autograd.gradcheck(lambda t: log_determinant(t, y), logits)
    assert torch.autograd.gradcheck(lambda t: diversity.entropy(mixture(t)), logits)


def test_bfloat16_changes_the_logits_and_nothing_after_them(generator):
    logits, y = torch.randn(8, 3, 10, generator=generator), torch.arange(8)
    expected = log_determinant(logits, y)
    with torch.autocast("cpu", torch.bfloat16):
        assert log_determinant(logits, y).equal(expected)


def test_the_entropy_is_log_k_where_nothing_is_known_and_0_where_all_are_sure():
    log_p = torch.stack([torch.zeros(7), 300 * torch.eye(7)[2]]).log_softmax(1).requires_grad_()
    found = diversity.entropy(log_p)
    assert found.tolist() == pytest.approx([math.log(7), 0.0])
    assert torch.autograd.grad(found.sum(), log_p)[0].isfinite().all()


def test_terms_and_gradients_are_finite_where_members_are_thousands_of_nats_sure(model, data):
    for member in model.members:
        member.fc2.weight.data *= 1e5
    found = terms(model, data)
    sum(found.values()).backward()
    assert found["clean"] > 1000 and all(term.isfinite() for term in found.values())
    assert all(weight.grad.isfinite().all() for weight in model.parameters())


def test_a_step_never_reads_a_value_back():
    """Tensors on the device "meta" have none to read."""
    with torch.device("meta"):
        model, data = build(), (torch.rand(6, *SHAPE), torch.arange(6))
        found = terms(model, data)
        sum(found.values()).backward()
    assert all(term.ndim == 0 and term.is_meta for term in found.values())
    with pytest.raises(RuntimeError, match="meta"):
        found["clean"].item()


def test_trained_with_it_members_disagree_more_and_the_mean_is_less_sure(data):
    """Of bright stripes, whose height is the label."""
    x, y = data[0] / 5, data[1]
    for image, label in zip(x, y, strict=True):
        image[:, 2 * label : 2 * label + 3] = 1.0
    images = loop.Images((x * 255).byte(), y)
    config = loop.Config(epochs=15, batch_size=10, learning_rate=0.01, snapshot_every=15)
    ends = []
    for weights in ({"entropy": 0.0, "diversity": 0.0}, {}):
        model, own = build(), torch.Generator().manual_seed(0)

        def loss_terms(model, x, y, *, generator, weights=weights):
            return terms(model, (x, y), **weights)

        for _ in loop.train(model, images, images, loss_terms, config=config, generator=own):
            pass
        found = terms(model.eval(), (x, y), entropy=1.0, diversity=1.0)
        ends.append({name: -term.item() for name, term in found.items()})
    assert ends[1]["entropy"] > ends[0]["entropy"] + 0.2
    assert ends[1]["diversity"] > ends[0]["diversity"] + 2


def test_an_attacker_is_given_the_means_logits_and_both_terms_of_every_image(model, data):
    x, y = data
    config = diversity.Config(loss=LOSS, entropy=3.0, diversity=0.25)
    logits, found = diversity.attack_term(model, x, y, config=config, state={})
    added = terms(model, data, entropy=3.0, diversity=0.25)
    torch.testing.assert_close(found, 20 * (added["entropy"] + added["diversity"]))
    torch.testing.assert_close(logits, model(x))


def test_the_adaptive_attack_turns_the_mean(model, data, generator):
    x = data[0]
    for member in model.eval().members:  # several classes win, and by little
        member.fc2.weight.data *= 10
        member.fc2.bias.data -= member(x).detach().mean(0)
    y = model(x).argmax(1)
    assert len(y.unique()) > 1

    def term(x, y):
        return diversity.attack_term(model, x, y, config=diversity.Config(loss=LOSS), state={})

    config = adaptive.Config(epsilon=0.1, step_size=0.02, steps=10, weights=[0.1])
    x_adv, success = adaptive.perturb(model, x, y, config=config, generator=generator, term=term)
    assert success.any() and (model(x_adv).argmax(1) != y).equal(success)


def test_a_model_that_is_no_ensemble_is_refused_with_the_model_to_write(data):
    plain = lenet5.build(SHAPE, 10, config=lenet5.Config())
    with pytest.raises(UserError, match=r"no ensemble; write \{method: ensemble, network"):
        terms(plain, data)
