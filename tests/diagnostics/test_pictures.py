import pytest
import torch

from robustinfo.core.errors import UserError
from robustinfo.diagnostics import class_tendency, tsne
from robustinfo.models import lenet5


def test_a_tendency_is_the_share_of_each_class_that_is_taken_for_each():
    y = torch.tensor([0, 0, 0, 0, 1, 1, 2])
    predicted = torch.tensor([1, 1, 2, 0, 0, 1, 0])
    expected = torch.tensor([[1, 2, 1, 0], [2, 2, 0, 0], [4, 0, 0, 0], [0, 0, 0, 0]]) / 4
    assert class_tendency.tendency(y, predicted, 4).equal(expected.double())


def test_an_image_that_is_wrong_when_clean_counts_by_what_it_is_taken_for(generator):
    """By hand: of three images of class 0 one is turned, one fails clean and one holds."""
    y = torch.tensor([0, 0, 0])
    logits = torch.tensor([[0.0, 1, 0], [0, 0, 1], [1, 0, 0]])
    stored = {"x_adv": logits, "success": torch.tensor([True, False, False])}
    found = class_tendency.diagnose(
        torch.nn.Identity(), logits, y,
        config=class_tendency.Config(examples="pgd"), generator=generator, examples=stored,
    )  # fmt: skip
    of_class_0 = {one.quantity: one.value for one in found if one.level == 0}
    assert of_class_0 == pytest.approx({"as_1": 1 / 3, "as_2": 1 / 3})


def test_classes_that_swap_their_images_are_reciprocal_and_the_opposite_is_minus_one():
    shares = torch.tensor([[0, 0.1, 0.2], [0.1, 0, 0.3], [0.2, 0.3, 0]])
    assert class_tendency.reciprocity(shares) == pytest.approx(1)
    opposite = torch.tensor([[0, 0.1, 0.2], [0.3, 0, 0.3], [0.2, 0.1, 0]])
    assert class_tendency.reciprocity(opposite) == pytest.approx(-1)
    assert class_tendency.reciprocity(torch.zeros(3, 3)) is None
    assert class_tendency.reciprocity(torch.rand(2, 2)) is None


def test_stored_examples_are_read_not_made_again(four_classes, generator):
    p = four_classes
    stored = {"x_adv": p.x.flip(0), "success": torch.ones_like(p.y, dtype=torch.bool)}
    found = class_tendency.diagnose(
        p.model, p.x, p.y,
        config=class_tendency.Config(examples="pgd"), generator=generator, examples=stored,
    )  # fmt: skip
    predicted = p.model(p.x.flip(0)).argmax(1)
    for one in found:
        if one.quantity != "reciprocity":
            own, other = p.y == one.level, predicted == int(one.quantity.removeprefix("as_"))
            assert one.value == pytest.approx((own & other).sum() / own.sum())


@pytest.fixture
def network():
    torch.manual_seed(0)
    return lenet5.build((1, 28, 28), 2, config=lenet5.Config()).eval()


def test_images_that_a_layer_keeps_apart_are_apart_in_the_picture(network, generator):
    y = torch.arange(40) % 2
    x = y.view(-1, 1, 1, 1) * 0.9 + torch.rand(40, 1, 28, 28) * 0.1
    config = tsne.Config(layers=["fc1"], images=30, perplexity=5.0)
    found = tsne.diagnose(network, x, y, config=config, generator=generator)
    points = torch.zeros(30, 2)
    for one in found:
        assert one.layer == "fc1"
        own, image = one.input.removeprefix("class ").split(", image ")
        assert int(own) == y[int(image)]
        points[int(image), "xy".index(one.quantity)] = one.value
    assert len(found) == 60
    nearest = (torch.cdist(points, points) + 1e9 * torch.eye(30)).argmin(1)
    assert (y[:30][nearest] == y[:30]).all()


def test_an_unknown_layer_and_too_few_images_are_errors_with_the_choices(network, generator):
    x, y = torch.rand(8, 1, 28, 28), torch.zeros(8, dtype=torch.int64)
    with pytest.raises(UserError, match="no layer nine; tsne has conv1"):
        tsne.diagnose(network, x, y, config=tsne.Config(layers=["nine"]), generator=generator)
    with pytest.raises(UserError, match="8 images are too few for a perplexity of 30"):
        tsne.diagnose(network, x, y, config=tsne.Config(layers=["fc1"]), generator=generator)
