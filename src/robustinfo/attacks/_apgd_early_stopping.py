"""Early stopping for AutoPGD: an image is no longer evaluated after its first success.

pyautoattack's APGD (Croce and Hein, 2020, arXiv 2003.01690) takes all its steps with every image,
and counts an image as broken that is misclassified at any of them. So stopping at the first success
breaks the same images; x_adv is the first adversarial image, and not the last. An image at a tie
within rounding (see _success.py) goes on, where the package counts it as broken. In l1 a run begins
in larger balls, whose steps are no successes yet, and are all taken.
"""

import torch
from pyautoattack.autopgd_base import APGDAttack
from torch import Tensor

from robustinfo.attacks._bfloat16 import bfloat16_logits
from robustinfo.attacks._success import clearly_fooled


class _AllFooledError(Exception):
    """Ends a run: every image is broken."""


def stop_early(apgd: APGDAttack, *, bfloat16: bool = False) -> None:
    """Make its runs evaluate unbroken images alone, and end when there is none.

    bfloat16: whether gradients are computed in it (see _bfloat16.py).
    """
    network, full_run = apgd.model, apgd.attack_single_run

    def run(x: Tensor, y: Tensor, x_init: Tensor | None = None) -> tuple:
        """One run, as the package's restarts take it: (_, unbroken (n,) bool, _, x_adv)."""
        if apgd.eps > apgd.eps_orig:
            return full_run(x, y, x_init)
        unbroken, adversarial, last_logits = torch.ones_like(y, dtype=torch.bool), x.clone(), None

        def logits_of_unbroken(at: Tensor) -> Tensor:
            """Logits (n, K), those of broken images as they were, and without a gradient."""
            nonlocal last_logits, unbroken
            chosen = at[unbroken]
            new = bfloat16_logits(network, chosen, y[unbroken]) if bfloat16 else network(chosen)
            logits = new if last_logits is None else last_logits.index_put((unbroken,), new)
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
