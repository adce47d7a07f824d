"""What PGD and AutoAttack cost, beside foolbox's PGD and the official AutoAttack.

    python -m benchmarks.attack_speed [--rounds 5] [--autoattacks 1] [--device cpu] [--file FILE]

A ResNet-18 that a little adversarial training has made robust by half: on a CPU, one thread, 8
filters wide, on 50 test images of MNIST; on a GPU 64 wide, on 500 of CIFAR-10; from the prepared
data (ROBUSTINFO_DATA or ``data``). PGD has 20 steps and five restarts. The loops take turns, so
that whatever else the machine does meets all of them, and on a CPU the time is the processor's.

First the verdicts must agree, image by image, with and without leaving: those of PGD with foolbox's
own runs from the same starts, of which every step is looked at and which nobody leaves, those of
AutoAttack with the official one from the same seed, both on the network as it is.

documented: LinfPGD(...).repeat(5) on a PyTorchModel, as foolbox's documentation has it; AutoAttack
as its readme has it. frozen: no weight requires a gradient. layout: frozen, and channels last.
"""

import argparse
import sys
from collections.abc import Callable
from functools import partial
from importlib.metadata import version
from itertools import product
from pathlib import Path

import foolbox
import foolbox.attacks as fa
import torch
from pyautoattack import AutoAttack
from torch import Generator, Tensor, nn

from benchmarks._timing import header, seconds, spread, write
from robustinfo.attacks import _foolbox, autoattack, pgd
from robustinfo.attacks._frozen import frozen
from robustinfo.attacks._success import keep_successes
from robustinfo.core.settings import Settings
from robustinfo.datasets._prepared import data_root, open_split
from robustinfo.defences import adversarial
from robustinfo.models import resnet18
from robustinfo.training import loop

STEPS, RESTARTS, SEED = 20, 5, 0
PEERS = ("documented", "frozen", "layout")


class Half(Settings):
    """A network that is robust by half."""

    dataset: str
    width: int
    training_images: int
    epochs: int
    trained_at: float  # epsilon
    epsilon: float
    images: int


HALF = {
    "cpu": Half(
        dataset="mnist",
        width=8,
        training_images=4096,
        epochs=2,
        trained_at=0.2,
        epsilon=0.25,
        images=50,
    ),
    "cuda": Half(
        dataset="cifar10",
        width=64,
        training_images=50_000,
        epochs=10,
        trained_at=8 / 255,
        epsilon=8 / 255,
        images=500,
    ),
}


def network(half: Half, device: torch.device) -> tuple[nn.Module, Tensor, Tensor]:
    """Contiguous and ready to be trained on, as a newcomer has it; and the images to attack."""
    train, test = (
        open_split(half.dataset, part, {"method": half.dataset}, data_root())
        for part in ("train", "test")
    )
    torch.manual_seed(SEED)
    model = resnet18.build(train.images.shape[1:], 10, config=resnet18.Config(width=half.width))
    ball = {"epsilon": half.trained_at, "step_size": half.trained_at / 3, "steps": 5}
    config = adversarial.Config(loss={"method": "cross_entropy"}, clean_share=0.5, attack=ball)
    some = slice(half.training_images)
    data = loop.Images(train.images[some].clone(), train.labels[some].clone()).to(device)
    for _ in loop.train(
        model.to(device),
        data,
        loop.Images(data.images[:0], data.labels[:0]),
        partial(adversarial.loss_terms, config=config),
        config=loop.Config(
            epochs=half.epochs, batch_size=64, learning_rate=0.002, snapshot_every=1
        ),
        generator=Generator(device).manual_seed(SEED),
    ):
        pass
    x = test.images[: half.images].to(device).float() / 255
    model.eval().to(memory_format=torch.contiguous_format)
    return model, x, test.labels[: half.images].to(device)


def settings(half: Half, **over: object) -> pgd.Config:
    ball = {"epsilon": half.epsilon, "step_size": half.epsilon / 8, "steps": STEPS}
    return pgd.Config(**ball | {"restarts": RESTARTS} | over)


def generator(x: Tensor) -> Generator:
    return Generator(x.device).manual_seed(SEED)


def documented(model: nn.Module, x: Tensor, y: Tensor, half: Half) -> Tensor:
    """(n,) who is fooled at the end of a run, or was before."""
    config = settings(half)
    attack = fa.LinfPGD(abs_stepsize=config.step_size, steps=STEPS).repeat(RESTARTS)
    target = foolbox.PyTorchModel(model, bounds=(0, 1))
    return attack(target, x, y, epsilons=half.epsilon)[2]


def ours(model: nn.Module, x: Tensor, y: Tensor, half: Half, **over: object) -> Tensor:
    """(n,) who falls."""
    config = settings(half, **over)
    return pgd.perturb(model, x, y, config=config, generator=generator(x))[1]


def twin(model: nn.Module, x: Tensor, y: Tensor, half: Half) -> tuple[Tensor, Tensor]:
    """(n,) who falls at any step of foolbox's runs, and who at the last step of one."""
    draw, any_step, last = generator(x), torch.zeros_like(y, dtype=torch.bool), []
    right, attack = model(x).argmax(1) == y, fa.LinfPGD(abs_stepsize=half.epsilon / 8, steps=STEPS)

    def look(_: nn.Module, given: tuple[Tensor], logits: Tensor) -> None:
        any_step.logical_or_(logits.argmax(1) != y)

    for _ in range(RESTARTS):
        hook = model.register_forward_hook(look)
        _, end = _foolbox.run(attack, model, x, y, epsilon=half.epsilon, generator=draw)
        hook.remove()
        last.append(keep_successes(model, x, y, end, norm="linf", epsilon=half.epsilon)[1])
    return any_step & right, torch.stack(last).any(0)


def official(model: nn.Module, x: Tensor, y: Tensor, half: Half) -> Tensor:
    """(n,) who falls under the official AutoAttack, from the seed that ours draws."""
    seed = int(torch.randint(2**62, (), generator=generator(x), device=x.device))
    attack = AutoAttack(model, norm="Linf", eps=half.epsilon, seed=seed, device=x.device)
    x_adv, _ = attack.run_standard_evaluation(x, y, batch_size=len(x))
    with torch.no_grad():
        return (model(x).argmax(1) == y) & (model(x_adv).argmax(1) != y)


def by_autoattack(model: nn.Module, x: Tensor, y: Tensor, half: Half, until: str) -> Tensor:
    config = autoattack.Config(epsilon=half.epsilon, until=until)
    return autoattack.perturb(model, x, y, config=config, generator=generator(x))[1]


def pgd_loops(model: nn.Module, x: Tensor, y: Tensor, half: Half) -> dict[str, Callable]:
    given = (model, x, y, half)

    def without_gradients_of_weights(layout: torch.memory_format) -> Tensor:
        model.to(memory_format=layout)
        with frozen(model):
            found = documented(*given)
        model.to(memory_format=torch.contiguous_format)
        return found

    loops = {
        "documented": partial(documented, *given),
        "frozen": partial(without_gradients_of_weights, torch.contiguous_format),
        "layout": partial(without_gradients_of_weights, torch.channels_last),
        "until: end": partial(ours, *given),
        "until: fooled": partial(ours, *given, until="fooled"),
        "bfloat16": partial(ours, *given, until="fooled", precision="bfloat16"),
    }
    expected, last = twin(*given)
    for name in ("until: end", "until: fooled"):
        found = loops[name]()
        if not found.equal(expected) or (last & ~found).any():
            sys.exit(f"error: PGD {name}: {(found ^ expected).sum()} other verdicts: nothing timed")
    return loops


def autoattack_loops(model: nn.Module, x: Tensor, y: Tensor, half: Half) -> dict[str, Callable]:
    given = (model, x, y, half)
    return {
        "documented": partial(official, *given),
        "until: end": partial(by_autoattack, *given, "end"),
        "until: fooled": partial(by_autoattack, *given, "fooled"),
    }


def timed(loops: dict[str, Callable], rounds: int, right: Tensor) -> tuple[dict, dict]:
    """The numbers, and (n,) who fell in the last round, by loop."""
    times: dict[str, list[float]] = {name: [] for name in loops}
    falls: dict[str, Tensor] = {}

    def note(name: str) -> None:
        falls[name] = loops[name]()

    for _ in range(rounds):
        for name in loops:
            times[name].append(seconds(partial(note, name), right.device))
    found = {"seconds": {name: spread(values, 2) for name, values in times.items()}}
    peers = [name for name in loops if name in PEERS]
    for peer, name in product(peers, [name for name in loops if name not in PEERS]):
        pairs = zip(times[peer], times[name], strict=True)
        found[f"{peer} / {name}"] = spread([a / b for a, b in pairs], 2)
    found["images that stand"] = {
        name: int((right & ~fallen).sum()) for name, fallen in falls.items()
    }
    return found, falls


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=5, help="of PGD")
    parser.add_argument("--autoattacks", type=int, default=1, help="rounds of AutoAttack")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--file", type=Path)
    given = parser.parse_args()
    device = torch.device(given.device)
    torch.set_num_threads(1)
    torch.backends.cudnn.allow_tf32 = False
    half = HALF[device.type]
    model, x, y = network(half, device)
    with torch.no_grad():
        right = model(x).argmax(1) == y
    versions = {name: version(name) for name in ("foolbox", "pyautoattack")}
    found = header(device, given.rounds, **versions) | {"network": half.model_dump()}
    found |= {"images": len(y), "correct when clean": int(right.sum())}
    found["PGD"], _ = timed(pgd_loops(model, x, y, half), given.rounds, right)
    loops = autoattack_loops(model, x, y, half)
    found["AutoAttack"], falls = timed(loops, given.autoattacks, right)
    for name, fallen in falls.items():
        if not fallen.equal(falls["documented"]):
            sys.exit(f"error: AutoAttack {name}: {fallen ^ falls['documented']} differ")
    found["AutoAttack"]["rounds"] = given.autoattacks
    write(found, given.file)


if __name__ == "__main__":
    main()
