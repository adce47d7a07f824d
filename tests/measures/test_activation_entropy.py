import pytest
import torch

from robustinfo.maths import activation_entropy as maths
from robustinfo.measures import activation_entropy as measure
from tests.by_quantity import by_quantity


def layers():
    generator = torch.Generator().manual_seed(0)
    return {f"relu{d}": 3 * torch.rand(16, d, generator=generator) for d in (20, 10, 5)}


def test_combine_is_e_n_and_e_t_of_the_whole_network():
    h, y = layers(), torch.zeros(16, dtype=torch.int64)
    found = by_quantity(
        measure.combine(
            {name: measure.estimate(t, y, config=measure.Config()) for name, t in h.items()}
        )
    )
    each = [maths.activation_entropy(t.double()) for t in h.values()]
    assert found["network_entropy"].value == pytest.approx(
        maths.network_entropy(each, [20, 10, 5]).mean().item()
    )
    assert found["entropy_flow"].value == pytest.approx(maths.entropy_flow(each).mean().item())


def test_a_layer_with_negative_outputs_is_refused():
    t = torch.tensor([[0.5, -0.5, 1.0]])
    with pytest.raises(ValueError, match=r"of 3 neurons' yields -0\.5"):
        measure.estimate(t, torch.tensor([0]), config=measure.Config())
