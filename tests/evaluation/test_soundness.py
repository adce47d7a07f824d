"""No attack succeeds where none can; and the exact answers are exact."""

from itertools import product

import numpy as np
import pytest
import torch
from torch import nn

from robustinfo.attacks import pgd
from robustinfo.evaluation.by_protocol import evaluate_by_protocol
from robustinfo.evaluation.sizes import SIZES
from tests.evaluation.exact import Box, Budget, layers_of, solved, worst_leads
from tests.evaluation.soundness import EPSILON, PROBLEMS, counted, relu

pytestmark = pytest.mark.proof


@pytest.mark.parametrize("name", PROBLEMS)
def test_no_image_that_is_proved_safe_is_turned_and_hardly_a_broken_one_is_missed(name):
    found = counted(PROBLEMS[name](), SIZES[0])
    assert found.turned == 0
    assert min(found.safe, found.broken) >= 20 and found.attacks >= 6
    assert (
        found.missed == 0
        if name in ("linear-linf", "linear-l2")
        else found.missed <= 0.1 * found.broken
    )


def test_an_attack_that_leaves_the_ball_turns_safe_images_and_none_of_them_counts():
    p, made = relu("plainly"), []

    def too_far(model, x, y, *, generator):
        config = pgd.Config(epsilon=3 * EPSILON, step_size=EPSILON, steps=10)
        made.append(pgd.craft(model, x, y, config=config, generator=generator))
        return made[-1]

    found = evaluate_by_protocol(
        SIZES[0], p.model, p.x, p.y, classes=10, ball=p.ball, attacks=["pgd", too_far],
        progress=lambda text: None,
    )  # fmt: skip
    wrong = p.model(torch.cat(made)).argmax(1) != p.y
    assert (wrong & p.safe).any() and found.attacks["too_far"].outside.any()
    assert found.robust[p.safe].all()


def test_some_safe_images_are_hardly_safe():
    """Else it would be no test of attacks that go a little too far."""
    p = relu("plainly")
    few = p.safe.nonzero().squeeze(1)[:12]
    assert solved(p.model, p.x[few], p.y[few], 1.5 * EPSILON)[1].any()


@pytest.mark.parametrize("spent", [None, 0.3])
@pytest.mark.parametrize("seed", range(4))
def test_the_largest_lead_in_a_box_is_that_of_a_search_of_40401_points(seed, spent):
    torch.manual_seed(seed)
    network = nn.Sequential(nn.Identity(), nn.Flatten(), nn.Linear(2, 12), nn.ReLU(),
                            nn.Linear(12, 8), nn.ReLU(), nn.Linear(8, 3)).double()  # fmt: skip
    box = Box(np.array([0.1, 0.4]), np.array([0.7, 0.9]))
    sides = (np.linspace(low, high, 201) for low, high in zip(*box, strict=True))
    points, budget = torch.tensor([*product(*sides)]), None
    if spent is not None:
        budget = Budget(spent, np.array([0.3, 0.6]))
        points = points[(points - torch.tensor([0.3, 0.6])).abs().sum(1) <= spent]
    with torch.no_grad():
        logits = network(points)
        y = int(logits[0].argmax())
        tried = [*worst_leads(layers_of(network), box, y, budget)]
        for wrong, (upper, point) in zip(sorted({0, 1, 2} - {y}), tried, strict=True):
            by_search = (logits[:, wrong] - logits[:, y]).max().item()
            assert upper >= by_search - 1e-6
            if point is not None:
                reached = network(torch.from_numpy(point)[None])[0]
                assert (reached[wrong] - reached[y]).item() == pytest.approx(upper, abs=1e-5)
                assert upper <= by_search + 0.02  # of a grid 0.003 apart
