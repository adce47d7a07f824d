"""Distances of linear networks are known exactly; on LeNet-5 no epsilon's PGD finds nearer ones."""

import math

import pytest
import torch
from pydantic import ValidationError
from torch import nn

from robustinfo.attacks import pgd
from robustinfo.diagnostics import minimal_distances
from robustinfo.diagnostics.minimal_distances import Config, distances, quantile
from robustinfo.maths.optimality import local_optimality
from tests.attacks.test_known_optimum import DUAL, least_distance
from tests.evaluation.networks import honest

INF = math.inf


def told(p, **settings):
    """{(quantity, input, level): measurement}."""
    config, generator = Config(**settings), torch.Generator().manual_seed(0)
    rows = minimal_distances.diagnose(p.model, p.x, p.y, config=config, generator=generator)
    found = {(one.quantity, one.input, one.level): one for one in rows}
    assert len(found) == len(rows)
    return found


@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_of_a_linear_network_every_number_has_its_formula(norm, four_classes):
    p, least = four_classes, least_distance(four_classes, DUAL[norm]).double()
    p.y[:8] = (p.y[:8] + 1) % 4  # misclassified when clean
    least[:8] = 0
    epsilons = [0.5 * least.median().item(), 1.5 * least.median().item()]
    found = told(p, norm=norm, epsilons=epsilons, targets=3)
    each = {level: one for (name, _, level), one in found.items() if name == "minimal_distance"}
    sizes = torch.tensor([each[float(image)].value for image in range(64)])
    torch.testing.assert_close(sizes, least.float(), rtol=2e-3, atol=1e-6)
    assert all((one.input == "clean") == (image < 8) for image, one in each.items())
    for epsilon in epsilons:
        one = found["distance_accuracy", "", epsilon]
        assert (one.value, one.n) == ((sizes > epsilon).double().mean().item(), 64)
    for name, share in minimal_distances.OF_ALL.items():
        one = found[name, "", None]
        assert one.value == pytest.approx(sizes.sort().values[int(64 * share) - 1].item())
        assert one.low <= one.value <= one.high and one.n == 64
    assert found["not_found_fraction", "", None].value == 0
    for attack, at_least in (("fmn", 0.999), ("fab", 0.99)):
        assert found["found_fraction", attack, None].value == 1
        assert at_least < found["local_optimality", attack, None].value <= 1


def test_the_nearest_of_all_attacks_counts_and_each_is_held_against_it(four_classes, generator):
    p, config = four_classes, Config(norm="l2", attacks=("fmn", "fab", "ddn"), steps=10, targets=1)
    by_attack = distances(p.model, p.x, p.y, config=config, generator=generator)
    least = torch.stack([*by_attack.values()]).amin(0)
    found = told(p, norm="l2", attacks=("fmn", "fab", "ddn"), steps=10, targets=1)
    each = [found[key].value for key in found if key[0] == "minimal_distance"]
    assert each == least.tolist()
    for name, one in by_attack.items():
        assert found["local_optimality", name, None].value == local_optimality(one, least)
        assert found["attack_distance_median", name, None].value == one.sort().values[31].item()
    assert found["local_optimality", "ddn", None].value < 0.9  # too few steps from its first radius


class Deaf(nn.Module):
    """Class 0, whatever it sees."""

    def forward(self, x):
        return 0 * x.flatten(1).sum(1, keepdim=True) + torch.tensor([1.0, 0.0, -1.0])


def test_where_nothing_is_found_distances_are_infinite_and_counted(four_classes):
    p = four_classes
    p.model, p.y = Deaf(), torch.zeros(64, dtype=torch.long)
    p.y[:16] = 1
    found = told(p, steps=3, epsilons=[0.5])
    assert found["not_found_fraction", "", None].value == 0.75
    assert found["distance_accuracy", "", 0.5].value == 0.75
    assert found["minimal_distance_lower_quartile", "", None].value == 0
    assert found["minimal_distance_median", "", None].value == INF
    assert found["found_fraction", "fmn", None].value == 0.25
    assert math.isnan(found["local_optimality", "fab", None].value)


def test_what_is_misclassified_when_clean_is_not_attacked(four_classes, generator):
    p, asked = four_classes, []
    p.y = (p.y + 1) % 4
    p.model.register_forward_hook(lambda _, given, __: asked.append(len(given[0])))
    config = Config(norm="l2", attacks=("fmn", "fab", "ddn"))
    found = distances(p.model, p.x, p.y, config=config, generator=generator)
    assert all(one.tolist() == [0.0] * 64 for one in found.values()) and asked == [64]


def test_a_quantile_is_the_least_value_that_its_share_does_not_exceed():
    values = torch.tensor([3.0, 1.0, INF, 2.0])
    assert [quantile(values, share) for share in (0, 0.25, 0.26, 0.75, 1)] == [1, 1, 2, 3, INF]
    assert math.isnan(quantile(values[:0], 0.5))


def test_ddn_is_of_l2_alone():
    with pytest.raises(ValidationError, match="`ddn` looks for the least l2 distance"):
        Config(attacks=["ddn"])


@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_on_lenet5_pgd_at_any_epsilon_finds_hardly_a_nearer_image(norm, generator):
    """PGD of 40 steps and 3 restarts, at five epsilons: of 60 images at most one is nearer."""
    lenet5 = honest("digits", "standard", 0)
    model, x, y = lenet5.model, lenet5.x[:60], lenet5.y[:60]
    config = Config(norm=norm, attacks=("fmn",))
    found = distances(model, x, y, config=config, generator=generator)
    least = torch.stack([*found.values()]).amin(0)
    right = least > 0
    assert right.equal(model(x).argmax(1) == y) and least.isfinite().all()
    gained = 0
    for share in (0.1, 0.3, 0.5, 0.7, 0.9):
        epsilon = least[right].quantile(share).item() * (1 + 1e-6)
        config = pgd.Config(
            norm=norm, epsilon=epsilon, step_size=epsilon / 8, steps=40, restarts=3,
            objective="margin", until="fooled",
        )  # fmt: skip
        _, broken = pgd.perturb(model, x, y, config=config, generator=generator)
        nearer = broken & (least > epsilon)
        assert nearer.sum() <= 1 and (least[nearer] < 1.1 * epsilon).all()
        gained += int((right & ~broken & (least <= epsilon)).sum())
    assert gained >= 3  # images that PGD misses at an epsilon where there is one
