import pytest
import torch
from torch import nn

from robustinfo.maths import jacobian as module
from robustinfo.maths.jacobian import jacobian, linearised, spectral_norm
from robustinfo.models import lenet5, resnet18


def noise(*shape, seed=0, dtype=torch.float64):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


@pytest.fixture(params=["lenet5", "resnet18"])
def network(request):
    """A network in eval mode and images that it reads, in float64."""
    torch.manual_seed(0)
    if request.param == "lenet5":
        model, shape = lenet5.build((1, 16, 16), 10, config=lenet5.Config()), (1, 16, 16)
    else:
        config = resnet18.Config(width=4)
        model, shape = resnet18.build((3, 16, 16), 7, config=config), (3, 16, 16)
    x = noise(5, *shape)
    model.double().train()(x)  # BatchNorm has seen something
    return model.eval().requires_grad_(False), x


def one_by_one(model, x):
    """Each image by itself: torch's own Jacobian, and its singular values."""
    rows = [torch.autograd.functional.jacobian(lambda t: model(t[None])[0], image) for image in x]
    rows = torch.stack([row.flatten(1) for row in rows])
    return rows, torch.linalg.svdvals(rows)[:, 0]


def test_it_is_torchs_jacobian_and_its_largest_singular_value(network):
    model, x = network
    expected_rows, expected = one_by_one(model, x)
    logits, rows = jacobian(model, x)
    assert torch.equal(logits, model(x))
    torch.testing.assert_close(rows, expected_rows)
    torch.testing.assert_close(spectral_norm(rows), expected, rtol=1e-10, atol=0)


def test_in_float32_it_is_so_to_1e_6(network):
    model, x = network
    model, x = model.float(), x.float()
    _, rows = jacobian(model, x)
    expected = torch.linalg.svdvals(one_by_one(model, x)[0].double())[:, 0]
    torch.testing.assert_close(spectral_norm(rows), expected, rtol=1e-6, atol=0)


def test_of_a_linear_model_it_is_the_matrix_itself_at_every_image():
    weight, x, delta = noise(4, 6), noise(3, 6, seed=1), noise(3, 6, seed=2)
    found = linearised(lambda x: x @ weight.T + 1, x, delta)
    largest = torch.linalg.matrix_norm(weight, 2)
    torch.testing.assert_close(found.spectral_norm, largest.expand(3), rtol=1e-12, atol=0)
    torch.testing.assert_close(found.change, delta @ weight.T)
    torch.testing.assert_close(found.logits, x @ weight.T + 1)


def test_of_squares_it_is_twice_the_largest_coordinate():
    x, delta = noise(4, 5), noise(4, 5, seed=1)
    found = linearised(torch.square, x, delta)
    torch.testing.assert_close(found.spectral_norm, 2 * x.abs().amax(1))
    torch.testing.assert_close(found.change, 2 * x * delta)


def test_the_change_is_the_derivative_along_delta(network):
    model, x = network
    delta = noise(*x.shape, seed=3)
    _, expected = torch.autograd.functional.jvp(model, x, delta)
    torch.testing.assert_close(linearised(model, x, delta).change, expected)


def test_no_direction_moves_the_logits_by_more_and_one_does_by_as_much(network):
    model, x = network
    directions = noise(200, *x.shape[1:])
    _, rows = jacobian(model, x[:1])
    norm = spectral_norm(rows)
    moved = (directions.flatten(1) @ rows[0].T).norm(dim=1)
    assert (moved <= norm * directions.flatten(1).norm(dim=1)).all()
    best = torch.linalg.svd(rows[0], full_matrices=False).Vh[0]
    torch.testing.assert_close((rows[0] @ best).norm(), norm[0])


@pytest.mark.parametrize("together", [1, 2, 5, 64])
def test_how_many_images_are_taken_at_once_does_not_matter(monkeypatch, together, network):
    model, x = network
    delta = noise(*x.shape, seed=3)
    expected = linearised(model, x, delta)
    monkeypatch.setitem(module.TOGETHER, "cpu", together)
    for one, other in zip(linearised(model, x, delta), expected, strict=True):
        torch.testing.assert_close(one, other)


def test_more_classes_than_pixels_are_no_other_case():
    weight, x = noise(9, 2), noise(3, 2, seed=1)
    found = linearised(lambda x: x @ weight.T, x, x).spectral_norm
    torch.testing.assert_close(found, torch.linalg.matrix_norm(weight, 2).expand(3))


@pytest.mark.parametrize("f", [torch.detach, torch.round, torch.zeros_like])
def test_where_nothing_depends_on_the_image_it_is_zero(f):
    found = linearised(f, noise(3, 4), noise(3, 4, seed=1))
    assert not found.spectral_norm.any() and not found.change.any()


def test_an_image_whose_slope_is_not_finite_has_no_norm_and_harms_no_other():
    x = torch.tensor([[4.0, 4.0], [0.0, 1.0], [1.0, 1.0]])
    found = linearised(torch.sqrt, x, x).spectral_norm
    assert found[1].isnan() and found[[0, 2]].tolist() == pytest.approx([0.25, 0.5])


def test_x_keeps_its_flags_and_weights_get_no_gradient():
    model, x = nn.Linear(3, 2), noise(4, 3, dtype=torch.float32)
    found = linearised(model, x, x)
    assert not x.requires_grad and model.weight.grad is None
    assert not any(tensor.requires_grad for tensor in found)
