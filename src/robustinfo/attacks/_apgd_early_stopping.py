"""AutoPGD without the images that it has fooled: they are not asked about again.

pyautoattack's APGD (Croce and Hein, 2020, arXiv 2003.01690) takes all its steps with every image,
and counts those that were fooled at any of them. So nothing that follows an image's first success
changes what is found; only its image is the first that fooled, and not the last. An image at a tie,
by rounding (see _success.py), stands, where the package gives it up.
"""

import torch
from pyautoattack.autopgd_base import APGDAttack
from torch import Tensor

from robustinfo.attacks._success import clearly_fooled


class _AllFooledError(Exception):
    """Ends a run from within: no image is left."""


def stop_early(apgd: APGDAttack) -> None:
    """Make its runs evaluate the images that still stand, and end when none does."""
    network, full_run = apgd.model, apgd.attack_single_run

    def run(x: Tensor, y: Tensor, x_init: Tensor | None = None) -> tuple:
        """(_, who stands, (n,) bool, _, where the others fell): what its restarts go on with."""
        unbroken, adversarial, last_logits = torch.ones_like(y, dtype=torch.bool), x.clone(), None

        def logits_of_unbroken(at: Tensor) -> Tensor:
            """Logits of those that stand; the others' have no gradient, and stay as they were."""
            nonlocal last_logits, unbroken
            if last_logits is None:
                logits = network(at)
            else:
                logits = last_logits.index_put((unbroken,), network(at[unbroken]))
            last_logits = logits.detach()
            broken = unbroken & clearly_fooled(last_logits, y)
            adversarial[broken] = at.detach()[broken]
            unbroken = unbroken & ~broken
            if not unbroken.any():
                raise _AllFooledError
            return logits

        apgd.model = logits_of_unbroken
        try:
            full_run(x, y, x_init)
        except _AllFooledError:
            pass
        finally:
            apgd.model = network
        return None, unbroken, None, adversarial

    apgd.attack_single_run = run
