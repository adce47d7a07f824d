import math
from collections import defaultdict

import pytest
import torch
from torch import nn

from robustinfo.attacks import deepfool, pgd
from robustinfo.diagnostics import margins
from robustinfo.models import lenet5

NO_CHANCE = {"norm": "l2", "steps": 20, "random_start": False}
TABLE = ["margin", "jacobian_spectral_norm", "normalised_margin", "attack_accuracy", "nonlinearity"]


class Squares(nn.Module):
    """Every logit the square of a pixel: J = 2 diag(x), and f(x + d) = f(x) + J d + d^2."""

    def forward(self, x):
        return x.flatten(1).square()


def nearest(model, x, y, generator):
    """What the attack stage keeps of DeepFool."""
    x_adv, success = deepfool.perturb(model, x, y, config=deepfool.Config(), generator=generator)
    distance = (x_adv - x).flatten(1).norm(dim=1)
    return {"success": success, "distance_l2": distance}


def anything(y):
    """Examples that the test does not read."""
    return {"success": y == y, "distance_l2": y + 1.0}


def findings(model, x, y, generator, examples):
    config = margins.Config(examples="deepfool")
    return margins.diagnose(model, x, y, config=config, generator=generator, examples=examples)


def means(*given):
    return {f.quantity: f.value for f in findings(*given) if not f.layer}


def points(*given):
    """{layer: (x, y, level, input)} of figure 4."""
    found = defaultdict(dict)
    for one in findings(*given):
        if one.layer:
            found[one.layer][one.quantity] = one
    return {
        name: (p["x"].value, p["y"].value, p["x"].level, p["x"].input) for name, p in found.items()
    }


def test_of_a_linear_model_with_two_classes_every_number_has_its_formula(
    two_classes, generator, monkeypatch
):
    p = two_classes
    p.y = torch.where(torch.arange(len(p.y)) < 8, 1 - p.y, p.y)  # some are misclassified
    own, other = p.weight[p.y], p.weight[1 - p.y]
    gap = (p.weight[0] - p.weight[1]).norm()
    size = ((own - other) * (p.x.flatten(1) - 0.5)).sum(1)
    norm = torch.linalg.matrix_norm(p.weight, 2)
    epsilon = 0.05
    attack = pgd.Config(**NO_CHANCE, epsilon=epsilon, step_size=epsilon / 10)
    monkeypatch.setattr(margins, "ATTACK", attack)
    found = means(p.model, p.x, p.y, generator, anything(p.y))
    assert found["margin"] == pytest.approx(size.mean().item(), rel=1e-4)
    assert found["jacobian_spectral_norm"] == pytest.approx(norm.item(), rel=1e-6)
    assert found["normalised_margin"] == pytest.approx((size.mean() / norm).item(), rel=1e-4)
    assert found["attack_accuracy"] == (size > epsilon * gap).double().mean().item()
    assert found["nonlinearity"] < 1e-5
    assert 0 < found["attack_accuracy"] < (size > 0).double().mean()


def test_there_normalised_margin_and_least_distance_are_one_line(two_classes, generator):
    p = two_classes
    examples = nearest(p.model, p.x, p.y, generator)
    found = means(p.model, p.x, p.y, generator, examples)
    assert found["correlation"] == pytest.approx(1, abs=1e-5)
    slope = 1.02 * torch.linalg.matrix_norm(p.weight, 2) / (p.weight[0] - p.weight[1]).norm()
    for x, y, _, _ in points(p.model, p.x, p.y, generator, examples).values():
        assert y == pytest.approx(slope.item() * x, rel=1e-2, abs=2e-4)


def test_no_boundary_of_a_linear_model_is_nearer_than_the_normalised_margin_over_root_2(
    four_classes, generator
):
    p = four_classes
    examples = nearest(p.model, p.x, p.y, generator)
    found = points(p.model, p.x, p.y, generator, examples)
    assert len(found) == len(p.x)
    assert all(y >= x / math.sqrt(2) for x, y, _, _ in found.values())


def test_of_squares_the_error_of_the_linear_model_is_the_square_of_the_step(generator):
    x = 0.3 + 0.4 * torch.rand(32, 1, 2, 2, generator=generator)
    y = torch.arange(32) % 4
    x_adv = pgd.craft(Squares(), x, y, config=margins.ATTACK, generator=generator.clone_state())
    step = (x_adv - x).flatten(1)
    q = step.square().norm(dim=1) / (2 * x.flatten(1) * step).norm(dim=1)
    found = means(Squares(), x, y, generator, anything(y))
    assert found["nonlinearity"] == pytest.approx(q.mean().item(), rel=1e-5)
    assert found["jacobian_spectral_norm"] == pytest.approx(2 * x.flatten(1).amax(1).mean().item())


def one_by_one(model, x, y, attack, generator):
    """Table 4 an image at a time, by torch's own Jacobian and singular values."""
    rows = []
    for image, label in zip(x, y, strict=True):
        at, target = image[None], label[None]
        near = pgd.craft(model, at, target, config=attack, generator=generator)
        jacobian = torch.autograd.functional.jacobian(lambda t: model(t)[0], at).flatten(1)
        before, after = model(at)[0], model(near)[0]
        size = before[label] - torch.cat([before[:label], before[label + 1 :]]).max()
        norm = torch.linalg.svdvals(jacobian)[0]
        change = jacobian @ (near - at).flatten()
        stands = before.argmax() == label and after.argmax() == label
        q = (after - before - change).norm() / change.norm()
        rows.append([size.item(), norm.item(), (size / norm).item(), float(stands), q.item()])
    return dict(zip(TABLE, torch.tensor(rows).double().mean(0).tolist(), strict=True))


@pytest.mark.parametrize("batch", [4, 512])
def test_of_a_network_it_is_what_a_loop_over_the_images_says(monkeypatch, batch, generator):
    monkeypatch.setattr(margins, "EVALUATION_BATCH", batch)
    torch.manual_seed(0)
    model = lenet5.build((1, 16, 16), 10, config=lenet5.Config()).eval()
    x = torch.rand(10, 1, 16, 16, generator=generator)
    y = torch.cat([model(x).argmax(1)[:6], torch.arange(4)])
    attack = pgd.Config(**NO_CHANCE, epsilon=0.5, step_size=0.05)
    monkeypatch.setattr(margins, "ATTACK", attack)
    found = means(model, x, y, generator, anything(y))
    expected = one_by_one(model, x, y, attack, generator)
    assert {name: found[name] for name in TABLE} == pytest.approx(expected, rel=1e-3)


def test_figure_4_is_a_point_for_every_image_that_was_turned_and_knows_the_most_curved(
    generator, monkeypatch
):
    monkeypatch.setattr(margins, "CURVED", 0.3)
    x = 0.3 + 0.4 * torch.rand(12, 1, 2, 2, generator=generator)
    y = x.flatten(1).argmax(1)
    examples = {"success": torch.arange(12) % 6 != 1, "distance_l2": torch.arange(12) / 10.0}
    found = points(Squares(), x, y, generator, examples)
    assert [level for _, _, level, _ in found.values()] == [0, 2, 3, 4, 5, 6, 8, 9, 10, 11]
    assert [b for _, b, _, _ in found.values()] == pytest.approx(
        [level / 10 for _, _, level, _ in found.values()]
    )
    assert {name for *_, name in found.values()} == {"deepfool"}
    kinds = [name.split(", image ") for name in found]
    assert [int(number) for _, number in kinds] == [0, 2, 3, 4, 5, 6, 8, 9, 10, 11]
    assert [kind for kind, _ in kinds].count("high Q") == 3
    first, second = x.flatten(1).topk(2).values.square().T
    expected = (first - second) / (2 * x.flatten(1).amax(1))
    assert [a for a, *_ in found.values()] == pytest.approx(
        expected[examples["success"]].tolist(), rel=1e-4
    )


@pytest.mark.parametrize("successes", [0, 1])
def test_without_two_turned_images_there_is_no_correlation(successes, four_classes, generator):
    p = four_classes
    examples = anything(p.y) | {"success": torch.arange(len(p.y)) < successes}
    found = means(p.model, p.x, p.y, generator, examples)
    assert math.isnan(found["correlation"])
    assert found["minimal_distance_fraction"] == successes / len(p.y)
    assert len(points(p.model, p.x, p.y, generator, examples)) == successes


def test_where_the_gradient_is_masked_the_normalised_margin_is_infinite_not_large(
    four_classes, generator
):
    p = four_classes
    model = nn.Sequential(p.model, RoundedUp())
    found = means(model, p.x, p.y, generator, anything(p.y))
    assert found["jacobian_spectral_norm"] == 0 and found["normalised_margin"] == math.inf


class RoundedUp(nn.Module):
    def forward(self, x):
        return (1000 * x).round()


def test_the_network_comes_back_as_it_was(generator):
    model = nn.Sequential(nn.BatchNorm2d(1), nn.Flatten(), nn.Linear(4, 3)).train()
    x, y = torch.rand(6, 1, 2, 2, generator=generator), torch.arange(6) % 3
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    means(model, x, y, generator, anything(y))
    assert all(tensor.equal(before[name]) for name, tensor in model.state_dict().items())
    assert all(layer.training for layer in model.modules())
    assert all(w.requires_grad and w.grad is None for w in model.parameters())


def test_the_attack_is_that_of_table_4():
    attack = margins.ATTACK
    assert (attack.norm, attack.epsilon, attack.steps) == ("l2", 0.5, 20)
    assert attack.restarts == 1 and attack.objective == "cross_entropy"
