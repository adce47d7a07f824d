"""Every attack keeps every promise of attacks/, and one that breaks any is told which."""

from types import SimpleNamespace

import pytest
import torch
from torch.nn import functional as F

from robustinfo.attacks._frozen import frozen
from robustinfo.attacks._success import keep_successes
from robustinfo.core.settings import Norm, Pixels, Settings
from tests.contracts.entries import each
from tests.promises import Broken, Held, attacks, of, shaped


@each("attacks", ("images",))
def test_an_attack_on_images_keeps_its_promises(entry, network, images):
    attacks.held(of("attacks", entry), images)


@each("attacks", ("texts",))
def test_an_attack_on_texts_keeps_its_promises(entry, network, texts):
    attacks.held(of("attacks", entry), texts)


class Config(Settings):
    norm: Norm = "linf"
    epsilon: Pixels = 0.05
    queries: int | None = None


def signs(model, x, y, config):
    """Where one step along the gradient ends."""
    x = x.clone().requires_grad_()
    loss = F.cross_entropy(model(x), y)
    slope = torch.autograd.grad(loss, x)[0] if loss.requires_grad else torch.zeros_like(x)
    return (x.detach() + config.epsilon * slope.sign()).clamp(0, 1)


def perturb(model, x, y, *, config, generator):
    """A sound attack."""
    with frozen(model):
        x_adv = signs(model, x, y, config)
    return keep_successes(model, x, y, x_adv, norm=config.norm, epsilon=config.epsilon)


def twin(change, config=None, **more):
    """The sound attack, but for what ``change`` makes of (model, x, y, x_adv, success)."""

    def changed(model, x, y, *, config, generator):
        found = perturb(model, x, y, config=config, generator=generator)
        return change(model, x, y, *found)

    return Held("attacks", "twin", method(changed, **more), config or Config())


def method(verb, **more):
    return SimpleNamespace(**{"Config": Config, "ROLE": "iterated", "perturb": verb} | more)


def spoiled(spoil):
    """What else is done to (model, x, y), the findings being sound."""

    def change(model, x, y, x_adv, success):
        spoil(model, x, y)
        return x_adv, success

    return change


def wrong(model, x, y):
    return model(x).argmax(1) != y


def everywhere(model, x, y, x_adv, success):
    """Far from x in [0, 1], where the attack succeeded."""
    return torch.where(success[:, None, None, None], 1 - x, x), success & wrong(model, 1 - x, y)


def by_luck(model, x, y, *, config, generator):
    with torch.random.fork_rng():
        x_adv = (x + config.epsilon * torch.randn_like(x).sign()).clamp(0, 1)
    return keep_successes(model, x, y, x_adv, norm=config.norm, epsilon=config.epsilon)


def as_it_is(model, x, y, *, config, generator):
    x_adv = signs(model, x, y, config) if model.training else x
    return keep_successes(model, x, y, x_adv, norm=config.norm, epsilon=config.epsilon)


def asks_often(model, x, y, *, config, generator):
    for _ in range(50):
        model(x)
    return keep_successes(model, x, y, x, norm=config.norm, epsilon=config.epsilon)


def by_logits(model, x, y, *, config, generator):
    """Of ten random signs, those that the softmax likes best."""
    with frozen(model), torch.no_grad():
        noise = torch.randn(10, *x.shape, generator=generator).sign()
        tried = (x + config.epsilon * noise).clamp(0, 1)
        doubt = torch.stack([F.cross_entropy(model(one), y, reduction="none") for one in tried])
        x_adv = tried[doubt.argmax(0), torch.arange(len(x))]
    return keep_successes(model, x, y, x_adv, norm=config.norm, epsilon=config.epsilon)


def with_extras(model, x, y, *, config, generator):
    found = perturb(model, x, y, config=config, generator=generator)
    return *found, {"second_step": found[1]}


def with_others(model, x, y, *, config, generator):
    found = perturb(model, x, y, config=config, generator=generator)
    return found[0], found[1] & (y == y[0]), {}


def left_in_training(model, x, y, *, config, generator):
    found = perturb(model, x, y, config=config, generator=generator)
    model.train()
    return found


def weigh(model, x, y):
    F.cross_entropy(model(x), y).backward()


def bend(model, x, y):
    model.fc.bias.data += 0.001


def freeze(model, x, y):
    model.fc.bias.requires_grad_(False)


TWINS = {
    "ROLE is one of": twin(lambda m, x, y, a, s: (a, s), ROLE="strong"),
    "a success was right when clean": twin(lambda m, x, y, a, s: (a, s | wrong(m, x, y))),
    "a success is wrong now": twin(lambda m, x, y, a, s: (x, ~wrong(m, x, y))),
    "a failure returns its x": twin(
        lambda m, x, y, a, s: (torch.where(s[:, None, None, None], a, (x + 0.01).clamp(0, 1)), s)
    ),
    "adversarial images lie in [0, 1]": twin(lambda m, x, y, a, s: (a + 1, s)),
    "adversarial images lie in the ball": twin(
        lambda m, x, y, a, s: (torch.where(s[:, None, None, None], 1 - x, x), s)
    ),
    "are like x in shape, dtype and device": twin(lambda m, x, y, a, s: (a.double(), s)),
    "success is (n,) bool": twin(lambda m, x, y, a, s: (a, s.float())),
    "its inputs are left alone": twin(spoiled(lambda m, x, y: x.mul_(0.999))),
    "torch's global random numbers are left alone": twin(spoiled(lambda m, x, y: torch.rand(1))),
    "the network's weights stay": twin(spoiled(bend)),
    "the network's modes come back": Held("attacks", "twin", method(left_in_training), Config()),
    "requires_grad comes back": twin(spoiled(freeze)),
    "no gradient of a weight is left behind": twin(spoiled(weigh)),
    "the generator alone decides": Held("attacks", "twin", method(by_luck), Config()),
    "a network in training mode is attacked as it will be used": Held(
        "attacks", "twin", method(as_it_is), Config()
    ),
    "it asks no gradient": twin(lambda m, x, y, a, s: (a, s), ROLE="black_box"),
    "it asks as often as `queries` says": Held(
        "attacks", "twin", method(asks_often, ROLE="black_box"), Config(queries=5)
    ),
    "it asks labels alone": Held(
        "attacks",
        "twin",
        method(by_logits, ROLE="black_box", DECISION_BASED=True),
        Config(epsilon=0.2),
    ),
    "other counts of success are those of COUNTS": Held(
        "attacks", "twin", method(perturb, perturb_with_extras=with_extras), Config()
    ),
    "perturb_with_extras finds what perturb finds": Held(
        "attacks", "twin", method(perturb, perturb_with_extras=with_others), Config()
    ),
    "craft's images lie in [0, 1]": Held(
        "attacks", "twin", method(perturb, craft=lambda m, x, y, config, generator: x + 1), Config()
    ),
}


@pytest.fixture
def restored(images):
    """The network comes back however it is spoiled."""
    state = {name: tensor.clone() for name, tensor in images.model.state_dict().items()}
    x = images.x.clone()
    yield images
    images.model.load_state_dict(state)
    images.model.eval().requires_grad_(True).zero_grad()
    images.x.copy_(x)


def test_the_sound_attack_keeps_its_promises_and_turns_some_images(restored):
    sound = Held("attacks", "sound", method(perturb, COUNTS=("second_step",)), Config())
    attacks.held(sound, restored)
    found = perturb(*restored, config=Config(), generator=None)[1]
    assert found.any() and not found[:8].all()


@pytest.mark.parametrize("promise", TWINS)
def test_an_attack_that_breaks_a_promise_is_told_which(promise, restored):
    with pytest.raises(Broken) as raised:
        attacks.held(TWINS[promise], restored)
    assert str(raised.value).startswith("attacks/twin breaks a promise of its folder: ")
    assert promise in str(raised.value)


@pytest.mark.parametrize(
    ("verb", "said"),
    [
        (lambda model, x, *, config, generator: None, "`perturb` takes what it is given"),
        (lambda model, x, y, *, config: None, "no `generator`"),
        (lambda model, x, y, *, config, generator, seed: None, "nobody gives it `seed`"),
    ],
)
def test_a_function_that_takes_something_else_is_told_what(verb, said):
    with pytest.raises(Broken, match=said):
        shaped(Held("attacks", "twin", method(verb), Config()))


def test_a_file_without_its_role_is_told_so():
    lacking = SimpleNamespace(Config=Config, perturb=perturb)
    with pytest.raises(Broken, match="it has `ROLE`"):
        shaped(Held("attacks", "twin", lacking, Config()))
