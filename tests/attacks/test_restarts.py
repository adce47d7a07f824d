"""The one loop of restarts: who is attacked again, what is kept, and what is drawn."""

from itertools import pairwise

import pytest
import torch

from robustinfo.attacks import fab, pgd, square
from robustinfo.attacks._frozen import seeded
from robustinfo.attacks._restarts import losses_and_starts, run_attempts

BALL = {"epsilon": 0.03}
ATTACKS = {
    "pgd": (pgd, BALL | {"step_size": 0.004, "steps": 2}),
    "pgd_l2": (pgd, {"norm": "l2", "epsilon": 0.3, "step_size": 0.04, "steps": 2}),
    "pgd_fooled": (pgd, BALL | {"step_size": 0.004, "steps": 2, "until": "fooled"}),
    "fab": (fab, {"epsilon": 0.014, "steps": 1}),
    "square": (square, BALL | {"queries": 5}),
}


def test_each_attempt_goes_on_with_who_stands_and_keeps_what_it_found_last():
    x, stands = torch.zeros(4, 1), torch.tensor([True, True, True, False])
    asked = []

    def attempt(number):
        def made(rows):
            asked.append(rows.tolist())
            return torch.full((len(rows), 1), float(number)), rows == number - 1, rows < number

        return made

    x_adv, found, left = run_attempts(x, stands, [attempt(1), attempt(2), attempt(2)])
    assert asked == [[0, 1, 2], [1, 2], [2]]  # 1 is done after the second, and 2 never
    assert x_adv.flatten().tolist() == [1, 2, 0, 0]
    assert found.tolist() == [True, True, False, False]
    assert left.tolist() == [False, False, True, False]
    assert stands.tolist() == [True, True, True, False] and not x.any()


def test_who_is_not_done_is_attacked_again_although_something_was_kept():
    x, everyone = torch.zeros(1, 1), torch.tensor([True])
    truth = torch.tensor([True])
    attempts = [lambda rows, n=n: (torch.full((1, 1), n), truth, ~truth) for n in (1.0, 2.0)]
    x_adv, found, left = run_attempts(x, everyone, attempts)
    assert x_adv.item() == 2 and found.all() and left.all()


def test_attempts_are_drawn_although_nobody_is_left():
    drawn = []

    def attempts():
        for number in range(3):
            drawn.append(number)
            yield lambda rows: pytest.fail("nobody is left")

    _, found, _ = run_attempts(torch.zeros(2, 1), torch.zeros(2, dtype=torch.bool), attempts())
    assert drawn == [0, 1, 2] and not found.any()


def test_every_objective_has_the_same_starts_and_the_generator_goes_on_as_after_one():
    x, generator = torch.zeros(3, 2), torch.Generator().manual_seed(0)
    one = generator.clone_state()
    given = torch.ones_like(x)
    found = list(
        losses_and_starts(x, ["a", "b"], lambda: torch.rand_like(x), [given], 2, generator)
    )
    assert [name for name, _ in found] == list("aaabbb")
    assert found[0][1] is given and found[3][1] is given
    assert found[1][1].equal(found[4][1]) and found[2][1].equal(found[5][1])
    assert not found[1][1].equal(found[2][1])
    for _ in range(2):
        with seeded(x, one):
            torch.rand_like(x)
    assert generator.get_state().equal(one.get_state())


@pytest.mark.parametrize("name", ATTACKS)
def test_more_restarts_lose_nobody(name, problem):
    attack, settings = ATTACKS[name]
    model, x, y = problem("mlp", images=96)
    falls = []
    for restarts in (1, 2, 5):
        config, generator = attack.Config(restarts=restarts, **settings), torch.Generator()
        falls.append(attack.perturb(model, x, y, config=config, generator=generator)[1])
    assert all((more | ~fewer).all() for fewer, more in pairwise(falls))
    assert falls[0].any() and not falls[0].equal(falls[2])
