"""The weights of this folder: `python -m studies.published.train`, once; a minute on one core."""

from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Generator, nn
from torch.nn import functional as F

from robustinfo.attacks import pgd
from robustinfo.core import checkpoint
from robustinfo.core.batches import to_float
from robustinfo.datasets import digits
from studies.published.networks import FOLDER, PLAIN, ROBUST, TwoConvolutions

EPOCHS, BATCH = 30, 64
PGD = pgd.Config(norm="linf", epsilon=0.15, step_size=0.05, steps=5)
ARCHITECTURE = {"method": "keras_cnn", "blocks": [[8], [16]], "dense": [32]}
DEFENCE = {
    "method": "adversarial",
    "loss": {"method": "cross_entropy"},
    "attack": {"norm": "linf", "epsilon": 0.15, "step_size": 0.05, "steps": 5},
}


def main() -> None:
    """Train the three networks and write their weights beside this file."""
    torch.set_num_threads(1)
    for file, attacked in ((PLAIN, False), (ROBUST, True)):
        torch.manual_seed(0)
        network = trained(TwoConvolutions(), attacked=attacked)
        save_file(network.state_dict(), file)
    torch.manual_seed(1)
    ours = trained(checkpoint.build(ARCHITECTURE, (1, 28, 28), 10), attacked=True)
    checkpoint.save(
        FOLDER / "checkpoint.safetensors",
        checkpoint.Checkpoint(
            architecture=ARCHITECTURE,
            shape=(1, 28, 28),
            classes=10,
            defence=DEFENCE,
            weights=ours.state_dict(),
            state={},
            trained_on={"torch": torch.__version__, "device": "cpu"},
        ),
    )


def trained(network: nn.Module, *, attacked: bool) -> nn.Module:
    """The network after Adam on the digits, clean or attacked by PGD in every step."""
    data = digits.load("train", config=digits.Config(), root=Path())
    images, labels = to_float(torch.from_numpy(data.images)), torch.from_numpy(data.labels)
    optimizer = torch.optim.Adam(network.parameters(), lr=0.002)
    generator = Generator().manual_seed(0)
    for _ in range(EPOCHS):
        for batch in torch.randperm(len(labels), generator=generator).split(BATCH):
            x, y = images[batch], labels[batch]
            if attacked:
                x, _ = pgd.perturb(network.eval(), x, y, config=PGD, generator=generator)
            optimizer.zero_grad()
            F.cross_entropy(network.train()(x), y).backward()
            optimizer.step()
    return network.eval()


if __name__ == "__main__":
    main()
