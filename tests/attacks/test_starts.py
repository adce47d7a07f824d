"""Where gradient attacks start. A run whose step has no size ends where it starts."""

import math

import pytest
import torch
from pydantic import ValidationError

from robustinfo.attacks import fgsm, pgd
from robustinfo.maths.balls import distance

NOWHERE = {"step_size": 0.0, "steps": 1}
STEPS = {"step_size": 0.01, "steps": 5}


def start(model, x, **settings):
    generator = torch.Generator().manual_seed(0)
    config = pgd.Config(**NOWHERE, **settings)
    y = torch.zeros(len(x), dtype=torch.int64)
    return pgd.craft(model, x, y, config=config, generator=generator)


def grey(images=4000):
    return torch.full((images, 1, 4, 4), 0.5)


def test_the_gaussian_start_has_its_deviation_where_nothing_cuts_it(two_classes):
    noise = (start(two_classes.model, grey(), epsilon=0.05, start_std=0.005) - 0.5).double()
    assert noise.std().item() == pytest.approx(0.005, rel=0.01)
    kurtosis = (noise**4).mean() / noise.square().mean() ** 2
    assert kurtosis.item() == pytest.approx(3, rel=0.03)  # 1.8 if it were uniform


def test_in_linf_what_leaves_the_ball_is_cut_to_its_faces(two_classes):
    noise = start(two_classes.model, grey(), epsilon=0.005, start_std=0.005) - 0.5
    assert noise.abs().max() <= 0.005 + 1e-7
    beyond = 1 - math.erf(1 / math.sqrt(2))  # of a normal number, more than one deviation away
    on_the_faces = (noise.abs() > 0.005 - 1e-7).double().mean().item()
    assert on_the_faces == pytest.approx(beyond, rel=0.02)


def test_in_l2_what_leaves_the_ball_is_made_shorter_and_keeps_its_direction(two_classes):
    wide = start(two_classes.model, grey(), norm="l2", epsilon=1.0, start_std=0.005) - 0.5
    cut = start(two_classes.model, grey(), norm="l2", epsilon=0.02, start_std=0.005) - 0.5
    size = distance(wide, "l2")
    assert (size > 0.02).any() and (size < 0.02).any()
    shorter = (0.02 / size).clamp(max=1)[:, None, None, None]
    torch.testing.assert_close(cut, wide * shorter, atol=1e-6, rtol=0)


def test_black_images_start_at_black_in_half_of_their_pixels(two_classes):
    found = start(two_classes.model, torch.zeros(4000, 1, 4, 4), epsilon=0.05, start_std=0.005)
    assert found.min() == 0
    assert (found == 0).double().mean().item() == pytest.approx(0.5, abs=0.01)


def test_noise_of_size_0_is_a_start_at_the_image_bit_for_bit(four_classes):
    p = four_classes

    def run(attack, **settings):
        config, generator = attack.Config(epsilon=0.02, **settings), torch.Generator()
        return attack.perturb(p.model, p.x, p.y, config=config, generator=generator)[0]

    assert run(pgd, start_std=0.0, **STEPS).equal(run(pgd, random_start=False, **STEPS))
    assert run(fgsm, start_std=0.0).equal(run(fgsm))


@pytest.mark.parametrize("norm, epsilon", [("linf", 0.02), ("l2", 0.06)])
def test_fgsm_from_noise_is_pgd_with_one_step_of_size_epsilon(norm, epsilon, four_classes):
    p = four_classes
    shared = {"norm": norm, "epsilon": epsilon, "start_std": 0.01}

    def run(attack, **settings):
        config, generator = attack.Config(**shared, **settings), torch.Generator().manual_seed(3)
        return attack.perturb(p.model, p.x, p.y, config=config, generator=generator)

    (one, falls), (other, also) = run(fgsm), run(pgd, steps=1, step_size=epsilon)
    assert falls.equal(also) and falls.any() and not falls.all()
    torch.testing.assert_close(one, other)


def test_a_start_at_the_image_is_no_noise():
    with pytest.raises(ValidationError, match="leave out `random_start: false`"):
        pgd.Config(epsilon=0.1, **STEPS, start_std=0.005, random_start=False)


def test_restarts_of_fgsm_that_would_all_be_the_same_are_refused():
    with pytest.raises(ValidationError, match="5 `restarts` from x are one; write a `start_std`"):
        fgsm.Config(epsilon=0.1, restarts=5)
