"""What a stranger's code sets for all of torch, at import, when it builds, in a forward."""

import pytest
import torch

from robustinfo.core.errors import UserError
from robustinfo.evaluation.sources import model
from tests.sources.test_guarded import CLASSES, SHAPE, Does, asked_of, images, linear

GLOBALS = {
    "gradients": lambda: torch.set_grad_enabled(False),
    "inference": lambda: HELD.append(torch.inference_mode()) or HELD[-1].__enter__(),
    "float64": lambda: torch.set_default_dtype(torch.float64),
    "float16": lambda: torch.set_default_dtype(torch.float16),
    "matmul": lambda: torch.set_float32_matmul_precision("medium"),
    "device": lambda: torch.set_default_device("meta"),
}
HELD = []  # inference mode ends with what entered it


@pytest.mark.parametrize("name", GLOBALS)
def test_what_a_forward_sets_for_all_of_torch_is_set_back(name):
    def sets(layer, x):
        logits = linear(layer, x)
        GLOBALS[name]()
        return logits

    before = world()
    network = asked_of(Does(sets))
    x = images().requires_grad_()
    assert torch.autograd.grad(network(x).sum(), x)[0].abs().min() > 0
    assert world() == before


@pytest.mark.parametrize("where", ["module", "builder"])
@pytest.mark.parametrize("name", GLOBALS)
def test_what_a_module_or_builder_sets_for_all_of_torch_is_set_back(name, where, project):
    line = f"from tests.sources.test_globals import GLOBALS\nimport torch\nGLOBALS[{name!r}]()\n"
    build = "def net():\n    return torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(16, 3))"
    if where == "builder":
        line, build = (
            "",
            build.replace("\n", "\n    " + line[:-1].replace("\n", "\n    ") + "\n", 1),
        )
    (project / "sets.py").write_text(f"import torch\n{line}{build}\n")
    before = world()
    if (name, where) == ("device", "builder"):  # its weights are nowhere
        with pytest.raises(UserError, match="meta tensor"):
            model("sets:net", shape=SHAPE, classes=CLASSES)
        assert world() == before
        return
    network = model("sets:net", shape=SHAPE, classes=CLASSES)
    assert world() == before
    x = images().requires_grad_()
    assert torch.autograd.grad(network(x).sum(), x)[0].abs().max() > 0
    assert {one.dtype for one in network.parameters()} == {torch.float32}


def world():
    return (
        torch.is_grad_enabled(), torch.is_inference_mode_enabled(), torch.get_default_dtype(),
        torch.empty(0).device, torch.get_float32_matmul_precision(),
    )  # fmt: skip


def test_no_grad_of_the_caller_stays():
    network = asked_of(Does(linear))
    with torch.no_grad():
        assert not network(images().requires_grad_()).requires_grad


def test_a_forward_that_seeds_torch_does_not_seed_the_attacks():
    def noisy(layer, x):
        torch.manual_seed(0)
        return linear(layer, x + torch.rand_like(x))

    network, draws = asked_of(Does(noisy)), []
    torch.manual_seed(7)
    for _ in range(2):
        network(images())
        draws.append(torch.rand(3))
    torch.manual_seed(7)
    assert draws[0].equal(torch.rand(3)) and draws[1].equal(torch.rand(3))
    assert network(images()).equal(network(images()))


def test_noise_goes_on_from_one_forward_to_the_next():
    network = asked_of(Does(lambda layer, x: linear(layer, x + torch.rand_like(x))))
    assert not network(images()).equal(network(images()))
