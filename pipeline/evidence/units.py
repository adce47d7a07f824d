"""A unit of the evidence: one setting, defence and seed of one study; and where its files are.

Everything local is under .evidence/, which git ignores: checkouts of the commits at which units
began, one folder of results that all of them share, logs. What is finished is under RECORDS.
"""

from pathlib import Path
from typing import NamedTuple

HOME = Path(".evidence")
CHECKOUTS = HOME / "checkouts"
RECORDS = Path("benchmarks/evidence")
RECORD = "unit.json"  # in the folder of a finished unit
UNFINISHED = "unfinished"  # the folder, in a unit's, of a training that can go on
RUN = "results/{study}/{dataset}/{model}/{defence}/{seed}"  # the folder of one
# Measures of snapshots that are not here any more, in the form of ``measures.csv``.
EARLIER = RUN + "/earlier.csv"
# The folder, in a run's, of a network's file from before it was carried over (carried.py).
AS_TRAINED = "as_trained"


class Unit(NamedTuple):
    """hours: what the list expects of it. needs: defences whose networks must be there before."""

    item: str
    study_file: str
    study: str
    dataset: str
    model: str
    defence: str
    seed: str
    hours: float
    needs: tuple[str, ...]

    @property
    def names(self) -> dict[str, str]:
        """The names of its run, as stages have them."""
        names = ("dataset", "model", "defence", "seed")
        return {name: getattr(self, name) for name in names}

    @property
    def name(self) -> str:
        """``study/dataset/model/defence/seed``."""
        return "/".join([self.study, *self.names.values()])

    @property
    def record(self) -> Path:
        """The folder to be committed."""
        return RECORDS / self.name

    @property
    def is_finished(self) -> bool:
        """Whether its record is there; changes of code do not matter."""
        return (self.record / RECORD).exists()

    def path(self, template: str, **names: str) -> Path:
        """A path, such as a contract's ``template``, in the shared results."""
        return HOME / template.format(study=self.study, **(self.names | names))

    def of(self, defence: str) -> "Unit":
        """The unit of another defence, alike in all else."""
        return self._replace(defence=defence)
