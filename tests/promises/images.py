"""What distortions, complexities, losses and models promise."""

import torch
from torch import Tensor

from tests.promises import Held, alone, seeded


def distortion(one: Held, x: Tensor) -> None:
    """x: (n, c, h, w) in [0, 1]. Raises Broken at the first promise that is broken."""

    def distorted() -> Tensor:
        return one.module.distort(x, config=one.config, generator=seeded())

    with alone(one, x):
        found = distorted()
    alike = found.shape == x.shape and found.dtype == x.dtype and found.device == x.device
    one.keeps(alike, "distorted images are like x in shape, dtype and device")
    one.keeps(found.min() >= 0 and found.max() <= 1, "distorted images lie in [0, 1]")
    torch.manual_seed(99)
    one.keeps(distorted().equal(found), "the generator alone decides")


def complexity(one: Held, things: Tensor | list[str]) -> None:
    """things: images (n, c, h, w) uint8, or texts, the first of which is blank."""
    given = [things] if isinstance(things, Tensor) else []
    with alone(one, *given):
        found = one.module.measure(things, config=one.config)
    numbers = found.shape == (len(things),) and found.dtype == torch.float64
    one.keeps(numbers, "one number per image, (n,) float64")
    one.keeps((found[0] < found[1:]).all(), "a blank one is the least complex")
    last = one.module.measure(things[1:], config=one.config)
    one.keeps(last.equal(found[1:]), "an image is measured by itself, whatever the others are")
    if one.hook("surrogate") and _has_surrogate(one, things):
        _surrogate(one, things.float() / 255)


def _has_surrogate(one: Held, images: Tensor) -> bool:
    """Some settings have none, and say so."""
    try:
        one.module.surrogate(images.float() / 255, config=one.config)
    except ValueError:
        return False
    return True


def _surrogate(one: Held, x: Tensor) -> None:
    x = x.requires_grad_()
    found = one.module.surrogate(x, config=one.config)
    one.keeps(found.shape == (len(x),), "the surrogate is one number per image, (n,)")
    (slope,) = torch.autograd.grad(found.sum(), x, allow_unused=True)
    one.keeps(slope is not None and slope.abs().sum() > 0, "the surrogate has a slope")


def loss(one: Held, logits: Tensor, y: Tensor) -> None:
    """logits: (n, K).  y: (n,) labels."""
    logits = logits.clone().requires_grad_()
    with alone(one, logits, y):
        found = one.module.loss(logits, y, config=one.config)
    one.keeps(found.ndim == 0 and found.isfinite(), "a loss is a finite scalar")
    (slope,) = torch.autograd.grad(found, logits, allow_unused=True)
    one.keeps(slope is not None and slope.abs().sum() > 0, "a loss has a slope by the logits")
    twice = one.module.loss(logits.repeat(2, 1), y.repeat(2), config=one.config)
    one.keeps(twice.isclose(found, rtol=1e-4), "a loss is the mean over the samples")


def model(one: Held, shape: tuple[int, ...], classes: int, x: Tensor) -> None:
    """shape: of an image, or (length, words). x: what the network reads."""
    state = torch.get_rng_state()
    found = one.module.build(shape, classes, config=one.config).eval()
    torch.set_rng_state(state)
    again = one.module.build(shape, classes, config=one.config).state_dict()
    same = all(t.equal(again[name]) for name, t in found.state_dict().items())
    one.keeps(same, "weights are drawn from torch's global generator")
    points = (*found.probes, *found.activations)
    with alone(one, x, model=found), torch.no_grad():
        logits, seen = found.observe(x, points)
        plain = found(x)
    one.keeps(logits.shape == (len(x), classes), "logits are (n, K)")
    one.keeps(logits.equal(plain), "who is observed answers alike")
    one.keeps(found.logits[0] in dict(found.named_modules()), "its logits are a layer")
    one.keeps({*seen} == {*points}, "every point is there")
    flat = all(t.ndim == 2 and len(t) == len(x) for t in seen.values())
    one.keeps(flat, "a point's output is (n, d)")
    positive = all((seen[layer] >= 0).all() for layer in found.activations)
    one.keeps(positive, "activations are not negative")
    with torch.no_grad():
        some = found(x[:2])
    one.keeps(torch.allclose(some, logits[:2], atol=1e-4), "no logits depend on other images")
