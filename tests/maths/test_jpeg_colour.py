import torch

from robustinfo.maths.jpeg_colour import to_rgb, to_ycc


def grid(first, last, step):
    """(3, m): every triple of first, first + step, ..., and of last."""
    values = torch.tensor([*range(first, last, step), last])
    return torch.cartesian_prod(values, values, values).T


def test_every_sixth_colour_is_that_of_libjpegs_integers():
    red, green, blue = grid(0, 255, 6)
    y = (19595 * red + 38470 * green + 7471 * blue + 32768) >> 16
    cb = (-11059 * red - 21709 * green + 32768 * blue + (128 << 16) + 32767) >> 16
    cr = (32768 * red - 27439 * green - 5329 * blue + (128 << 16) + 32767) >> 16
    ours = to_ycc(torch.stack([red, green, blue]).float())
    assert ours.dtype == torch.int16
    assert ours.equal(torch.stack([y, cb, cr]).to(torch.int16))


def test_every_sixth_triple_goes_back_as_libjpegs_integers():
    ycc = grid(0, 255, 6)
    y, cb, cr = ycc - torch.tensor([[0], [128], [128]])
    red = y + ((91881 * cr + 32768) >> 16)
    green = y + ((-22554 * cb - 46802 * cr + 32768) >> 16)
    blue = y + ((116130 * cb + 32768) >> 16)
    expected = torch.stack([red, green, blue]).clamp(0, 255)
    assert to_rgb(*ycc.to(torch.int16)).equal(expected.to(torch.int16))


def test_weights_are_those_of_bt_601():
    exact = torch.tensor(
        [[0.299, 0.587, 0.114], [-0.299, -0.587, 0.886], [0.701, -0.587, -0.114]],
        dtype=torch.float64,
    ) / torch.tensor([[1], [1.772], [1.402]])
    rgb = grid(0, 255, 15)
    exact = exact @ rgb.double() + torch.tensor([[0], [128], [128]])
    assert (to_ycc(rgb.float()) - exact).abs().max() < 0.51


def test_greys_have_no_colour_and_come_back_as_they_were():
    greys = torch.arange(256, dtype=torch.int16).expand(3, -1)
    ycc = to_ycc(greys.float())
    assert ycc[0].equal(greys[0])
    assert (ycc[1:] == 128).all()
    assert to_rgb(*ycc).equal(greys)
