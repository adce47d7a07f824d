"""A folder of finished parts holds nothing that another evaluation would read as its own."""

import copy
import pickle

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

import robustinfo
from robustinfo import UserError
from robustinfo.evaluation.accuracy import Accuracy
from tests.test_api import Mean, X, Y, greys, judged


class Rounded(Mean):
    """The weights of Mean, none, and its answers on images of 8 bits."""

    def forward(self, x):
        return 1e6 * super().forward((x * 255).round() / 255)


class Noisy(Mean):
    def forward(self, x):
        return super().forward(x + 0.3 * torch.randn(len(x), 1, 1, 1))


EIGHT_BITS = (X * 255).round() / 255


def test_a_network_of_the_same_weights_and_other_code_is_another(tmp_path):
    judged(Mean(), EIGHT_BITS, out=tmp_path)
    with pytest.raises(UserError, match="another evaluation"):
        judged(Rounded(), EIGHT_BITS, out=tmp_path)


@pytest.mark.parametrize("other", [{"mean": 0.1, "std": 2.0}, {"abstain": "error", "classes": 1}])
def test_what_is_done_to_a_network_is_part_of_it(tmp_path, other):
    judged(out=tmp_path, x=X[:3], y=Y[:3])
    with pytest.raises(UserError, match="another evaluation"):
        judged(out=tmp_path, x=X[:3], y=Y[:3], **other)


def test_a_randomised_network_goes_on_to_the_same_answers(tmp_path):
    x, y = X.repeat(10, 1, 1, 1), Y.repeat(10)
    one, other, third = (judged(Noisy(), x, y, out=out) for out in (tmp_path, tmp_path, None))
    assert 0 < one.clean_accuracy < 1
    for found in (other, third):
        assert torch.equal(one.clean_correct, found.clean_correct)
        assert torch.equal(one.robust, found.robust)


def test_an_attack_or_a_loss_that_was_edited_is_made_again(tmp_path):
    def own(model, x, y, generator):
        return x

    assert judged(attacks=["fgsm", own], out=tmp_path).robust_accuracy == 4 / 6

    def own(model, x, y, generator):
        return x + torch.where(y == 0, 0.1, -0.1).view(-1, 1, 1, 1)

    found = judged(attacks=["noise", own], out=tmp_path)
    assert found.attacks["own"].broken.tolist() == [False, False, True, True, False, False]
    asked = []

    def loss(x, y):
        asked.append(len(x))
        return x.sum()

    for _ in range(2):
        before = len(asked)
        judged(attacks=["adaptive"], loss=loss, out=tmp_path)
        assert len(asked) > before


def test_images_of_the_user_that_changed_are_refused(tmp_path):
    judged(adversarial=X, out=tmp_path)
    with pytest.raises(UserError, match="own_images/000000"):
        judged(adversarial=X + 0.01, out=tmp_path)


def test_other_attacks_in_the_same_folder_make_again_what_follows_from_them(tmp_path):
    judged(attacks=["noise"], out=tmp_path)
    found = judged(attacks=["noise", "pgd"], out=tmp_path)
    assert found.conclusion == judged(attacks=["noise", "pgd"]).conclusion


def test_of_one_method_or_one_file_name_there_may_be_several(tmp_path):
    quick = {"method": "pgd", "steps": 1, "step_size": 0.001, "random_start": False}
    found = judged(attacks=["pgd", quick])
    assert found.robust_accuracy == 4 / 6 and [*found.attacks] == ["pgd", "pgd_2"]
    for folder, images in (("a", 1 - X), ("b", X)):
        (tmp_path / folder).mkdir()
        np.save(tmp_path / folder / "adv.npy", images.numpy())
    found = judged(
        adversarial=[tmp_path / "a/adv.npy", tmp_path / "b/adv.npy"],
        attacks=["noise"],
        epsilon=0.99,
    )
    assert found.attacks["adv"].broken.any() and not found.attacks["adv_2"].broken.any()


def test_a_black_box_with_a_twin_is_not_invalid_for_its_weak_attacks():
    def answers(images):
        brightness = images.reshape(len(images), -1).mean(1)
        return np.stack([0.5 - brightness, brightness - 0.5], 1)

    found = judged(answers, attacks=None, twin=answers, epsilon=0.02)
    assert found.verdict == "not enough was tried" and "invalid" not in repr(found)


def test_abstaining_accuses_nobody_and_the_curve_begins_at_the_clean_accuracy():
    x = greys(*torch.linspace(0.05, 0.95, 60).tolist())
    y = (x.flatten(1).mean(1) > 0.5).long()
    found = judged(Mean(abstains=True), x, y, abstain="robust", classes=2, epsilon=0.05)
    wrong = {one.check.name for one in found.checks if one.result == "failed"}
    assert 0.5 < found.clean_accuracy < 0.9
    assert not {"miscounted_fraction", "zero_epsilon_gap"} & wrong
    curve = found.to_dict()["curve"]
    assert curve[0]["accuracy"] == pytest.approx(found.clean_accuracy) and curve[0]["n"] == 60


def test_an_attack_that_gives_no_images_is_an_error_and_not_left_out():
    with pytest.raises(UserError, match="gave ndarray, not a tensor"):
        judged(attacks=["fgsm", lambda model, x, y, generator: x.numpy()])
    with pytest.raises(UserError, match="let it return the term"):
        judged(attacks=["adaptive"], loss=lambda x, y: torch.zeros(()))


def test_images_from_the_twin_are_those_that_break_the_network():
    class Shifted(Mean):
        def forward(self, x):
            return super().forward(x - 0.03)

    found = judged(twin=Shifted(), attacks=["pgd"])
    name = "pgd from the twin"
    moved = (found.adversarial_images(name) != X).flatten(1).any(1)
    assert torch.equal(moved, found.attacks[name].broken)


def test_an_attack_goes_through_every_batch_of_a_loader():
    loader = DataLoader(TensorDataset(X, Y), batch_size=2)
    assert len(robustinfo.attack("fgsm", Mean(), loader, epsilon=0.1, device="cpu").success) == 6


@pytest.mark.parametrize("targets", [[0, 1], [2] * 6, [-1] * 6, [0.5] * 6])
def test_targets_are_labels_of_every_image(targets):
    with pytest.raises(UserError, match="targets are"):
        robustinfo.attack("pgd", Mean(), X, Y, epsilon=0.1, targets=targets, device="cpu")


def test_gradients_are_taken_wherever_it_is_called():
    with torch.no_grad():
        assert judged().robust_accuracy == 4 / 6
    with torch.inference_mode():
        assert robustinfo.attack("pgd", Mean(), X, Y, epsilon=0.1, device="cpu").success.sum() == 2


def test_an_accuracy_can_be_copied():
    one = Accuracy(2, 3)
    for other in (copy.deepcopy(one), pickle.loads(pickle.dumps(one))):
        assert (other, other.low, other.high, other.n) == (one, one.low, one.high, 3)


def test_a_dataset_is_read_as_it_is_asked_for():
    class Counting(TensorDataset):
        most = 0

        def __getitem__(self, row):
            self.most = max(self.most, row)
            return super().__getitem__(row)

    data = Counting(X, Y)
    judged(None, data, None, images=3)
    assert data.most == 2
    with pytest.raises(UserError, match="images judge nothing"):
        judged(images=-1)


def test_a_module_keeps_no_gradient_of_the_caller():
    model = nn.Sequential(nn.Flatten(), nn.Linear(16, 2))
    judged(model)
    assert all(one.grad is None for one in model.parameters())
