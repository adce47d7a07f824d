"""``import robustinfo``: judge, attack and load, on networks whose answers are known."""

import doctest

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

import robustinfo
from robustinfo import UserError
from robustinfo.core import checkpoint
from tests.checkpoints import untrained


class Mean(nn.Module):
    """Class 1 where an image is brighter than a half; abstains, as class 2, around it."""

    def __init__(self, abstains=False):
        super().__init__()
        self.abstains = abstains

    def forward(self, x):
        brightness = x.flatten(1).mean(1)
        logits = [0.4 - brightness, brightness - 0.6] if self.abstains else [0.5 - brightness] * 2
        logits = logits if self.abstains else [0.5 - brightness, brightness - 0.5]
        return torch.stack([*logits, *[0 * brightness] * self.abstains], 1)


def greys(*means):
    """(n, 1, 4, 4) of one grey each."""
    return torch.tensor(means).view(-1, 1, 1, 1).expand(-1, 1, 4, 4).clone()


X, Y = greys(0.1, 0.35, 0.42, 0.58, 0.65, 0.9), torch.tensor([0, 0, 0, 1, 1, 1])


def judged(model=None, x=X, y=Y, **options):
    usual = {"epsilon": 0.1, "protocol": "tiny", "attacks": ["fgsm", "pgd"], "device": "cpu"}
    return robustinfo.judge(model or Mean(), x, y, **usual | options)


@pytest.mark.parametrize("name", sorted(robustinfo.__all__))
def test_every_public_name_has_an_example_that_runs(name):
    function = getattr(robustinfo, name)
    (test,) = [one for one in doctest.DocTestFinder().find(function, name) if one.name == name]
    assert test.examples
    assert doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(test).failed == 0


def test_every_public_name_says_what_it_is():
    for name in robustinfo.__all__:
        assert getattr(robustinfo, name).__doc__ and name in dir(robustinfo)


def test_accuracies_are_those_that_can_be_counted():
    found = judged()
    assert found.clean_accuracy == 1 and found.robust_accuracy == 4 / 6
    assert found.robust.tolist() == [True, True, False, False, True, True]
    assert found.robust_accuracy.low < 4 / 6 < found.robust_accuracy.high
    assert {label: float(one.robust) for label, one in found.by_class.items()} == {
        0: pytest.approx(2 / 3),
        1: pytest.approx(2 / 3),
    }
    assert found.verdict in repr(found) and "66.7%" in repr(found)


@pytest.mark.parametrize("epsilon", [0.1, "1/10", np.float64(0.1)])
def test_epsilon_may_be_written_in_any_way(epsilon):
    assert judged(epsilon=epsilon).threat.epsilon == pytest.approx(0.1)


@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_both_norms(norm):
    epsilon = 0.1 if norm == "linf" else 0.4  # 0.4 over 16 pixels moves the mean by 0.1
    assert judged(epsilon=epsilon, norm=norm).robust.tolist() == judged().robust.tolist()


@pytest.mark.parametrize("form", ["array", "uint8", "loader", "dataset"])
def test_images_come_in_any_form(form):
    eight = (X * 255).round().byte()
    pairs = TensorDataset(eight.float() / 255, Y)
    given = {
        "array": (eight.float().numpy() / 255, Y.numpy()),
        "uint8": (eight, Y),
        "loader": (DataLoader(pairs, batch_size=4), None),
        "dataset": (pairs, None),
    }[form]
    found = judged(None, *given)
    assert found.robust.tolist() == judged().robust.tolist()
    assert found.data_sha256 == judged(None, eight, Y).data_sha256


def test_a_network_that_wants_normalised_images_is_told_how():
    class Normalised(Mean):
        def forward(self, x):
            return super().forward(0.25 * x + 0.5)

    assert judged(Normalised(), mean=0.5, std=0.25).robust.tolist() == judged().robust.tolist()


def test_the_network_of_the_caller_stays_as_it_is():
    model = nn.Sequential(nn.Flatten(), nn.BatchNorm1d(16), nn.Linear(16, 2)).double().train()
    model[2].weight.requires_grad_(False)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    judged(model)
    assert model.training and model[2].weight.dtype == torch.float64
    assert not model[2].weight.requires_grad and model[1].weight.grad is None
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())


@pytest.mark.parametrize(
    "abstain, epsilon, left", [("robust", 0.1, 4), ("error", 0.1, 2), ("robust", 0.3, 2)]
)
def test_abstaining_is_what_the_caller_says(abstain, epsilon, left):
    """0.42 and 0.58 abstain when clean; 0.35 and 0.65 can be brought to abstain, or further."""
    found = judged(Mean(abstains=True), abstain=abstain, epsilon=epsilon, classes=2)
    assert found.clean_correct.tolist() == [True, True, False, False, True, True]
    assert int(found.robust.sum()) == left


def test_a_network_that_abstains_is_not_judged_before_it_is_said_what_that_is():
    with pytest.raises(UserError, match=r"abstain"):
        judged(Mean(abstains=True), classes=2)


def test_an_attack_of_the_user_joins_the_worst_case_and_is_verified():
    def whiten(model, x, y, generator):
        """In the ball, brighter, and beyond it in every other image."""
        steps = torch.full((len(x), 1, 1, 1), 0.1)
        steps[1::2] = 0.5
        return (x + steps).clamp(max=1)

    found = judged(attacks=["fgsm", whiten], epsilon=0.1)
    own = next(one for name, one in found.attacks.items() if "whiten" in name)
    assert own.broken.tolist() == [False, False, True, False, False, False]
    assert own.outside.tolist() == [False, True, False, True, False, False]
    alone = judged(attacks=["fgsm", lambda model, x, y, generator: 1 - x], epsilon=0.1)
    assert alone.robust.tolist() == judged(attacks=["fgsm"]).robust.tolist()


@pytest.mark.parametrize("suffix", ["tensor", "npy", "safetensors", "pt"])
def test_adversarial_images_of_the_user_join_the_worst_case(tmp_path, suffix):
    given = X.clone()
    given[2] += 0.09
    given[4] -= 0.5  # misclassified, and outside the ball
    file = tmp_path / f"mine.{suffix}"
    if suffix == "npy":
        np.save(file, given.numpy())
    elif suffix == "safetensors":
        from safetensors.torch import save_file

        save_file({"x_adv": given}, file)
    elif suffix == "pt":
        torch.save(given, file)
    found = judged(attacks=["noise"], adversarial=given if suffix == "tensor" else file)
    own = found.attacks["own_images" if suffix == "tensor" else "mine"]
    assert own.broken.tolist() == [False, False, True, False, False, False]
    assert own.outside.tolist() == [False, False, False, False, True, False]
    assert not found.robust[2]


def test_a_term_of_the_users_defence_is_weighed_by_the_adaptive_attack():
    class Misleading(nn.Module):
        """Its logits step away from the mean; the term knows it."""

        def forward(self, x):
            return Mean()((x * 50).round() / 50)

    without = judged(Misleading(), attacks=["pgd"])
    found = judged(
        Misleading(),
        attacks=["pgd", "adaptive"],
        loss=lambda x, y: ((1 - 2 * y) * x.flatten(1).mean(1)).sum(),
    )
    assert without.robust.all() and found.attacks["adaptive"].broken.tolist() == [
        False, False, True, True, False, False
    ]  # fmt: skip


def test_a_function_of_arrays_is_known_by_its_answers_alone_and_never_invalid_for_that():
    def answers(images):
        brightness = images.reshape(len(images), -1).mean(1)
        return np.stack([0.5 - brightness, brightness - 0.5], 1)

    found = judged(answers, attacks=None)
    assert found.black_box and "black-box accuracy" in repr(found)
    assert found.verdict == "not enough was tried"
    assert not {"pgd", "fgsm", "autoattack"} & {*found.attacks} and "square" in found.attacks
    assert found.robust.tolist() == judged().robust.tolist()


def test_the_same_seed_gives_the_same_images_again():
    one, other = judged(seed=3), judged(seed=3)
    assert torch.equal(one.adversarial_images("pgd"), other.adversarial_images("pgd"))
    worst = one.adversarial_images()
    assert (Mean()(worst).argmax(1) != Y).tolist() == (~one.robust).tolist()
    with pytest.raises(UserError, match="choose one of: fgsm, pgd"):
        one.adversarial_images("cw")


def test_an_attack_by_itself_and_towards_targets():
    x_adv, success = robustinfo.attack("pgd", Mean(), X, Y, epsilon=0.1, device="cpu")
    assert success.tolist() == [False, False, True, True, False, False]
    assert torch.equal(x_adv[~success], X[~success])
    for name in ("pgd", "fgsm", "square", "hop_skip_jump", "deepfool"):
        towards, reached = robustinfo.attack(
            name, Mean(), X, Y, epsilon=0.1, targets=1 - Y, device="cpu"
        )
        assert reached.tolist() == success.tolist(), name
        assert (Mean()(towards).argmax(1) == 1 - Y)[reached].all()
    with pytest.raises(UserError, match="at least 4 classes"):
        robustinfo.attack("autoattack", Mean(), X, Y, epsilon=0.1, targets=1 - Y, device="cpu")


def test_a_checkpoint_is_loaded_with_its_weights(tmp_path):
    held = untrained({"method": "lenet5"}, (1, 28, 28), 10)
    checkpoint.save(tmp_path / "model.safetensors", held)
    network = robustinfo.load(tmp_path / "model.safetensors")
    assert not network.training
    assert all(torch.equal(held.weights[name], one) for name, one in network.state_dict().items())


@pytest.mark.parametrize(
    "options, said",
    [
        ({"epsilon": 8}, "did you mean 8/255"),
        ({"epsilon": float("nan")}, "above 0"),
        ({"norm": "l3"}, "linf, l2 or l1"),
        ({"protocol": "huge"}, "choose from tiny, small, medium, large, full"),
        ({"attacks": ["nothing"]}, "no attack 'nothing'"),
        ({"attacks": [{"method": "pgd", "epsilon": 0.5}]}, "its epsilon is the evaluation's"),
        ({"attacks": ["word_fgsm"]}, "attacks texts"),
        ({"attacks": ["adaptive"]}, "loss="),
        ({"y": Y[:3]}, "6 images, and 3 labels"),
        ({"y": Y.float()}, "give integers"),
        ({"y": Y + 5}, "labels are from 5 to 6"),
        ({"x": 3 * X}, "mean= and std="),
        ({"x": X[0]}, "give (n, c, h, w)"),
        ({"x": X[:0], "y": Y[:0]}, "nothing to judge"),
        ({"abstain": "maybe"}, "robust (abstaining resists), or error"),
        ({"adversarial": X[:, :, :2]}, "one like each"),
        ({"adversarial": "nowhere.npy"}, "nowhere.npy"),
        ({"model": "mine:net"}, "no module 'mine'"),
        ({"device": "tpu"}, "there is none"),
    ],
)
def test_what_is_wrong_is_said_in_a_line(options, said):
    with pytest.raises(UserError) as error:
        judged(**options)
    assert said in str(error.value) and "\n" not in str(error.value)
