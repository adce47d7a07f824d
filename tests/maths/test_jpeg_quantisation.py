from io import BytesIO

import pytest
import torch
from PIL import Image

from robustinfo.maths.jpeg_quantisation import quantise_, steps


@pytest.mark.parametrize("quality", range(1, 101))
def test_steps_are_those_in_the_header_of_pillows_file(quality):
    file = BytesIO()
    Image.new("RGB", (8, 8)).save(file, format="JPEG", quality=quality)
    tables = Image.open(file).quantization
    assert steps(quality).flatten(1).tolist() == [tables[0], tables[1]]


@pytest.mark.parametrize("quality", [0, 101])
def test_a_quality_that_jpeg_does_not_have_is_an_error(quality):
    with pytest.raises(ValueError, match=rf"{quality}.*1\.\.100"):
        steps(quality)


def test_every_coefficient_goes_to_the_nearest_level_and_a_half_away_from_0():
    coefficients = torch.arange(-8192, 8193)  # 8 times -1024..1024, all that 8-bit samples give
    every = coefficients.double().expand(8, 8, -1)
    for first in range(1, 256, 64):
        table = torch.arange(first, first + 64).clamp(max=255).view(8, 8)
        found = quantise_(every.clone(), table)
        divisor = 8 * table[..., None]
        levels = (coefficients.abs() + divisor // 2) // divisor  # libjpeg's jcdctmgr.c
        assert found.equal((coefficients.sign() * levels * table[..., None]).double())
