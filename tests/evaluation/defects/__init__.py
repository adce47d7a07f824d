"""Ways in which an evaluation deceives, planted on purpose, and the checks that see each.

A defect is a network that cannot be attacked as it is, or an attack that does not do what it says.
All stand on LeNet-5 networks on the digits, plain or adversarially trained, with a plain twin; the
honest evaluation of both raises nothing. catalogue.py lists them with their sources, the other
files plant them, and judging.py evaluates one.
"""

from tests.evaluation.defects import (
    attack_faults,
    chance,
    fronts,
    layers,
    outputs,
    rounding,
    unaware,
    weak_attacks,
)
from tests.evaluation.defects.catalogue import DEFECTS, Defect
from tests.evaluation.defects.defect import Planted
from tests.evaluation.defects.judging import judged

__all__ = ["DEFECTS", "GROUPS", "PLANTED", "Defect", "Planted", "judged"]
GROUPS = (fronts, layers, outputs, chance, attack_faults, weak_attacks, unaware, rounding)
PLANTED: dict[str, Planted] = {name: one for group in GROUPS for name, one in group.PLANTED.items()}
