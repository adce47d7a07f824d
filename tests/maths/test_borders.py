import numpy as np
import pytest
import torch

from robustinfo.maths.borders import inside

BY_NUMPY = {"edge": "edge", "mirror": "reflect", "symmetric": "symmetric"}


@pytest.mark.parametrize("border", BY_NUMPY)
@pytest.mark.parametrize("size", [1, 2, 3, 8])
def test_a_line_goes_on_as_numpy_pads_it_however_far(border, size):
    line = torch.arange(size)
    index = torch.arange(-20, size + 20)
    expected = np.pad(line.numpy(), 20, mode=BY_NUMPY[border])
    assert line[inside(index, size, border)].tolist() == expected.tolist()
