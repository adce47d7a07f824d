import pytest
import torch
from torch.nn import functional as F

from robustinfo.training.augment import Config, augment


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def random_images(n=40, h=6, w=8):
    return torch.rand(n, 3, h, w, generator=seeded(1))


def shifted(image, down, right, mode="constant"):
    """(c, h, w) moved, black or the edge coming in, written as a roll of a padded image."""
    _, h, w = image.shape
    padded = F.pad(image, [4] * 4, mode=mode).roll((down, right), (1, 2))
    return padded[:, 4 : 4 + h, 4 : 4 + w]


def test_no_shift_and_no_flip_change_nothing_and_draw_nothing():
    generator = seeded()
    state = generator.get_state()
    x = random_images()
    assert augment(x, config=Config(), generator=generator).equal(x)
    assert generator.get_state().equal(state)


def test_texts_pass_but_are_not_changed():
    words = torch.randint(9, (4, 6), generator=seeded(1))
    assert augment(words, config=Config(), generator=seeded()) is words
    with pytest.raises(ValueError, match="neither shifted nor flipped"):
        augment(words, config=Config(flip=True), generator=seeded())


@pytest.mark.parametrize("fill, mode", [("black", "constant"), ("edge", "replicate")])
@pytest.mark.parametrize("reach", [1, 2])
def test_every_image_is_a_shifted_copy_of_its_own_and_every_shift_occurs(reach, fill, mode):
    x = random_images(400)
    moved = augment(x, config=Config(shift=reach, fill=fill), generator=seeded())
    shifts = [
        (down, right)
        for down in range(-reach, reach + 1)
        for right in range(-reach, reach + 1)
    ]  # fmt: skip
    found = []
    for before, after in zip(x, moved, strict=True):
        fits = [s for s in shifts if shifted(before, *s, mode).equal(after)]
        assert len(fits) == 1
        found += fits
    assert set(found) == set(shifts)


def test_about_half_of_the_images_are_flipped_and_the_rest_left():
    x = random_images(2000)
    turned = augment(x, config=Config(flip=True), generator=seeded())
    flipped = (turned == x.flip(3)).flatten(1).all(1)
    kept = (turned == x).flatten(1).all(1)
    assert (flipped ^ kept).all()
    assert flipped.double().mean().item() == pytest.approx(0.5, abs=0.04)


def test_the_generator_alone_decides():
    config = Config(shift=2, flip=True)
    first = augment(random_images(), config=config, generator=seeded(3))
    assert augment(random_images(), config=config, generator=seeded(3)).equal(first)
    assert not augment(random_images(), config=config, generator=seeded(4)).equal(first)
