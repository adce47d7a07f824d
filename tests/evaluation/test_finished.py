"""A stopped evaluation goes on from its finished parts, to the same bits."""

import pytest
import torch
from torch import nn

from robustinfo.core.errors import UserError
from robustinfo.core.files import AlteredFileError
from robustinfo.evaluation.by_protocol import evaluate_by_protocol
from robustinfo.evaluation.finished import Finished
from robustinfo.evaluation.sizes import Size
from robustinfo.evaluation.threats import Ball

SIZE = Size("own", 24, 5, 2, 60, 2, 20, 6, False)
RUN = {"network": "one", "seed": 0}


class Counted(nn.Module):
    """A fixed network that counts the images it is asked for."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.layers = nn.Sequential(nn.Flatten(), nn.Linear(16, 8), nn.ReLU(), nn.Linear(8, 4))
        self.asked = 0

    def forward(self, x):
        self.asked += len(x)
        return self.layers(x)

    def __deepcopy__(self, memo):
        return self


class Killed(BaseException):
    pass


def evaluated(folder=None, *, stop_at=None, run=RUN, seed=0, attacks=None):
    """The evaluation, killed before the step of that number; and the images that were asked for."""
    model, twin = Counted().eval(), Counted().eval()
    with torch.no_grad():
        twin.layers[3].bias += 0.05
    x = torch.rand(24, 1, 4, 4, generator=torch.Generator().manual_seed(1))
    y, steps = model(x).argmax(1), []
    model.asked = twin.asked = 0

    def progress(step):
        steps.append(step)
        if len(steps) == stop_at:
            raise Killed

    found = None
    try:
        found = evaluate_by_protocol(
            SIZE, model, x, y, classes=4, ball=Ball(norm="linf", epsilon=0.3), seed=seed,
            twin=twin, batch_size=10, finished=Finished(folder, run), progress=progress,
            attacks=attacks,
        )  # fmt: skip
    except Killed:
        pass
    return found, steps, model.asked + twin.asked


def same(one, other):
    assert one.conclusion == other.conclusion and one.measurements == other.measurements
    assert torch.equal(one.robust, other.robust) and one.data_sha256 == other.data_sha256
    for name, attack in one.attacks.items():
        assert torch.equal(attack.broken, other.attacks[name].broken), name
        assert torch.equal(one.adversarial_images(name), other.adversarial_images(name)), name


def test_killed_at_any_step_it_goes_on_to_the_same_bits(tmp_path):
    whole, steps, asked = evaluated()
    assert 0 < whole.robust_accuracy < 1 and steps[-1].fraction == pytest.approx(1)
    assert [step.fraction for step in steps] == sorted(step.fraction for step in steps)
    for number in range(2, len(steps), 7):
        folder = tmp_path / str(number)
        none, _, _ = evaluated(folder, stop_at=number)
        found, _, asked_again = evaluated(folder)
        assert none is None and asked_again <= asked
        same(whole, found)
    again, _, rest = evaluated(folder)
    same(whole, again)
    assert rest < 0.2 * asked


def test_a_folder_makes_no_difference(tmp_path):
    same(evaluated()[0], evaluated(tmp_path)[0])


def test_an_attack_breaks_the_same_images_whatever_else_is_tried():
    whole, alone = evaluated()[0], evaluated(attacks=["random_search"])[0]
    name = "random_search"
    assert torch.equal(whole.attacks[name].broken, alone.attacks[name].broken)


@pytest.mark.parametrize("other", [{"run": RUN | {"network": "another"}}, {"seed": 1}])
def test_the_folder_of_another_evaluation_is_refused_by_name(tmp_path, other):
    evaluated(tmp_path, stop_at=6)
    if "seed" in other:
        other["run"] = RUN | {"seed": 1}
    with pytest.raises(UserError, match=r"000000.safetensors is of another evaluation"):
        evaluated(tmp_path, **other)


def test_an_altered_part_is_refused_by_name(tmp_path):
    evaluated(tmp_path, stop_at=6)
    file = tmp_path / "adversarial/fgsm/000000.safetensors"
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)
    with pytest.raises(AlteredFileError, match=r"fgsm/000000"):
        evaluated(tmp_path)
