"""Two small networks of digits that were trained elsewhere, as their authors might publish them.

`train.py` beside this file made their weights: the one on clean images, the other against PGD of
five steps with linf 0.15. A study names the function, or a file of weights with the class.
"""

from pathlib import Path

from safetensors.torch import load_file
from torch import Tensor, nn

FOLDER = Path(__file__).parent
PLAIN, ROBUST = FOLDER / "plain.safetensors", FOLDER / "robust.safetensors"


class TwoConvolutions(nn.Module):
    """Images (n, 1, 28, 28) in [0, 1] -> logits (n, 10)."""

    def __init__(self) -> None:  # noqa: D107
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, 8, kernel_size=5, stride=2),  # (n, 8, 12, 12)
            nn.ReLU(),
            nn.Conv2d(8, 16, kernel_size=5, stride=2),  # (n, 16, 4, 4)
            nn.ReLU(),
            nn.Flatten(),
        )
        self.head = nn.Linear(256, 10)

    def forward(self, x: Tensor) -> Tensor:
        """Logits."""
        return self.head(self.features(x))


def plain() -> nn.Module:
    """Trained on clean images."""
    network = TwoConvolutions()
    network.load_state_dict(load_file(PLAIN))
    return network
