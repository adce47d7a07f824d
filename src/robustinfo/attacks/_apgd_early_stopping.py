"""AutoPGD without the images that it has fooled: they are not asked about again.

pyautoattack's APGD (Croce and Hein, 2020, arXiv 2003.01690) takes all its steps with every image,
and counts those that were fooled at any of them. So nothing that follows an image's first success
changes what is found; only its image is the first that fooled, and not the last. An image at a tie,
by rounding (see _success.py), stands, where the package gives it up.
"""

import torch
from pyautoattack.autopgd_base import APGDAttack
from torch import Tensor

from robustinfo.attacks._success import surely


class _AllFooledError(Exception):
    """Ends a run from within: no image is left."""


def leaving(apgd: APGDAttack) -> None:
    """Make its runs evaluate the images that still stand, and end when none does."""
    network, whole = apgd.model, apgd.attack_single_run

    def run(x: Tensor, y: Tensor, x_init: Tensor | None = None) -> tuple:
        """(_, who stands, (n,) bool, _, where the others fell): what its restarts go on with."""
        stands, first, known = torch.ones_like(y, dtype=torch.bool), x.clone(), None

        def answers(at: Tensor) -> Tensor:
            """Logits of those that stand; the others' have no gradient, and stay as they were."""
            nonlocal known, stands
            if known is None:
                logits = network(at)
            else:
                logits = known.index_put((stands,), network(at[stands]))
            known = logits.detach()
            falls = stands & surely(known, y)
            first[falls] = at.detach()[falls]
            stands = stands & ~falls
            if not stands.any():
                raise _AllFooledError
            return logits

        apgd.model = answers
        try:
            whole(x, y, x_init)
        except _AllFooledError:
            pass
        finally:
            apgd.model = network
        return None, stands, None, first

    apgd.attack_single_run = run
