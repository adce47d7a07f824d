"""In l1 the box binds: on a linear classifier the worst case is a fractional knapsack, solved here.

Many values of the images are at the edges of [0, 1]. A wrong class k leads most where the values
with the largest |w_k - w_y| go to the edge, the best first, until epsilon is spent.
"""

from types import SimpleNamespace

import pytest
import torch

from robustinfo.core import registry
from robustinfo.maths.balls import feasible
from tests.knapsack import at_the_edges, worst_leads

EPSILON, NEAR = 1.5, 1e-3  # of a logit: who is nearer to the boundary counts for neither side
STEPS = {"step_size": EPSILON / 4, "steps": 20}


@pytest.fixture(scope="module")
def solved():
    p = at_the_edges(EPSILON)
    assert (p.worst.abs() < NEAR).sum() < 3 and 20 < (p.worst > 0).sum() < 76
    return SimpleNamespace(**vars(p), breaks=p.worst > NEAR, safe=p.worst < -NEAR)


@pytest.mark.parametrize(
    ("least", "attack"),
    [  # the share of all breakable images that it breaks; without targets some miss a class
        (0.95, {"method": "pgd", "objective": "margin", "restarts": 3} | STEPS),
        (0.98, {"method": "adaptive"} | STEPS),
        (0.98, {"method": "gradient_search", "steps": 20}),
        (1, {"method": "autoattack"}),
        (1, {"method": "autoattack", "until": "fooled"}),
        (1, {"method": "fab", "targets": 4, "steps": 30}),
        (0.93, {"method": "pgd"} | STEPS),
        (0.93, {"method": "label_smoothing_pgd"} | STEPS),
        (0.9, {"method": "mi_fgsm"} | STEPS),
        (0.93, {"method": "bim"} | STEPS),
        (0.85, {"method": "fgsm"}),
        (0.6, {"method": "hop_skip_jump", "steps": 20}),
        (0.45, {"method": "square", "queries": 2000}),
        (0, {"method": "random_search", "draws": 100}),
        (0, {"method": "additive_noise"}),
    ],
    ids=lambda one: one["method"] if isinstance(one, dict) else "",
)
def test_no_attack_beats_the_knapsack_and_the_best_reach_it(least, attack, solved):
    entry = attack | {"norm": "l1", "epsilon": EPSILON}
    perturb = registry.get("attacks", entry)
    term = {"term": lambda x, y: (solved.model(x), solved.model(x).square().sum())}
    x_adv, success = perturb(
        solved.model, solved.x, solved.y, generator=torch.Generator().manual_seed(0),
        **(term if attack["method"] == "adaptive" else {}),
    )  # fmt: skip
    assert feasible(solved.x, x_adv, "l1", EPSILON).all()
    assert not (success & solved.safe).any()
    share = (success & solved.breaks).sum() / solved.breaks.sum()
    assert share >= least


@pytest.mark.parametrize("attack", [{"method": "fgsm"}, {"method": "bim"} | STEPS])
def test_one_step_and_many_are_exact_where_there_are_two_classes(attack, two_classes):
    """The gradient then points to the same vertex from everywhere."""
    p = two_classes
    generator = torch.Generator().manual_seed(3)
    x = (1.6 * torch.rand(64, 1, 4, 4, generator=generator) - 0.3).clamp(0, 1)
    logits = p.model(x).detach()
    y = logits.argmax(1)
    worst = worst_leads(logits, p.weight, x, y, EPSILON)
    one = attack | {"norm": "l1", "epsilon": EPSILON}
    x_adv = registry.module("attacks", one).craft(
        p.model, x, y, config=registry.config("attacks", one), generator=generator
    )
    found = p.model(x_adv).detach()
    lead = (found.gather(1, 1 - y[:, None]) - found.gather(1, y[:, None]))[:, 0]
    torch.testing.assert_close(lead.double(), worst, atol=2e-5, rtol=1e-5)


def test_autoattack_never_asks_a_network_outside_the_box(solved):
    """The package's steps in l1 end beyond it by rounding, and a front may refuse such images."""
    least, most = [], []

    def front(layer, inputs):
        least.append(inputs[0].min().item())
        most.append(inputs[0].max().item())

    hook = solved.model.register_forward_pre_hook(front)
    entry = {"method": "autoattack", "norm": "l1", "epsilon": EPSILON}
    registry.get("attacks", entry)(
        solved.model, solved.x, solved.y, generator=torch.Generator().manual_seed(0)
    )
    hook.remove()
    assert len(most) > 10 and min(least) >= 0 and max(most) <= 1
