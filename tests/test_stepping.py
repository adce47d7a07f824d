"""Cheap steps are the same steps."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from robustinfo.training.step import Config, cpu_flags, cuda_graphed, stepper

NO_GPU = not torch.cuda.is_available()


def network(device="cpu"):
    torch.manual_seed(0)
    layers = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(64, 3))
    return layers.to(device)


def two_terms(model, x, y, *, generator):
    logits = model(x)
    return {"clean": F.cross_entropy(logits, y), "size": 0.1 * logits.square().mean()}


def batches(n, device="cpu", size=8):
    draw = torch.Generator().manual_seed(0)
    x = torch.rand(n * size, 1, 6, 6, generator=draw).to(device)
    y = (torch.arange(n * size) % 3).to(device)
    return list(zip(x.split(size), y.split(size), strict=True))


def steps(model, optimizer):
    generator = torch.Generator(next(model.parameters()).device)
    return stepper(
        model, two_terms, optimizer, config=Config(learning_rate=0.01), generator=generator
    )


def test_a_step_is_the_textbook_one_and_returns_the_terms_that_it_was_taken_with():
    model, twin = network(), network()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01, fused=True)
    slow = torch.optim.Adam(twin.parameters(), lr=0.01, foreach=False)
    step = steps(model, optimizer)
    for x, y in batches(5):
        expected = two_terms(twin, x, y, generator=None)
        found = step(x, y)
        total = expected["clean"] + expected["size"]
        slow.zero_grad()
        total.backward()
        slow.step()
        assert list(found) == ["clean", "size", "loss"]
        torch.testing.assert_close(found["loss"], total.detach())
        assert not any(value.requires_grad for value in found.values())
    for one, other in zip(model.parameters(), twin.parameters(), strict=True):
        torch.testing.assert_close(one, other)


def test_the_switches_of_the_cpu_come_back():
    tiny = torch.tensor([1e-39])
    before = torch.backends.mkldnn.enabled
    with pytest.raises(RuntimeError, match="on the way"), cpu_flags(onednn=False):
        assert not torch.backends.mkldnn.enabled
        assert (tiny * 1.0).item() == 0
        raise RuntimeError("on the way")
    assert torch.backends.mkldnn.enabled == before
    assert (tiny * 1.0).item() > 0


@pytest.mark.gpu
@pytest.mark.skipif(NO_GPU, reason="needs a GPU")
def test_a_recorded_step_takes_the_same_steps_also_with_a_ragged_last_batch():
    kinds = []
    for record in (False, True):
        model = network("cuda")
        optimizer = torch.optim.Adam(model.parameters(), lr=0.01, fused=True, capturable=True)
        step = steps(model, optimizer)
        step = cuda_graphed(step, optimizer, 8) if record else step
        data = batches(12, "cuda")
        data[-1] = (data[-1][0][:5], data[-1][1][:5])
        losses = torch.stack([step(x, y)["loss"] for x, y in data])
        kinds.append((losses, [weight.detach().clone() for weight in model.parameters()]))
    torch.testing.assert_close(kinds[0][0], kinds[1][0], rtol=1e-5, atol=1e-6)
    for one, other in zip(*(weights for _, weights in kinds), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5)
