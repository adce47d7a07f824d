"""A unit of the evidence: one setting, defence and seed of one study; and the paths of its files.

Everything local is under .evidence/, which git ignores: checkouts of the commits at which units
began, one folder of results that all of them share, logs. Finished units are under RECORDS.
"""

from pathlib import Path
from typing import NamedTuple

HOME = Path(".evidence")
CHECKOUTS = HOME / "checkouts"
RECORDS = Path("benchmarks/evidence")
RECORD = "unit.json"  # in the folder of a finished unit
UNFINISHED = "unfinished"  # folder, in a unit's, of an exported training
RUN = "results/{study}/{dataset}/{model}/{defence}/{seed}"  # the folder of one
# Measures of snapshots that no longer exist, in the format of ``measures.csv``.
EARLIER = RUN + "/earlier.csv"


class Unit(NamedTuple):
    """hours: expected, of one core. needs: defences whose networks it needs before it begins."""

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
        """Names of its run, as of a job."""
        names = ("dataset", "model", "defence", "seed")
        return {name: getattr(self, name) for name in names}

    @property
    def name(self) -> str:
        """``study/dataset/model/defence/seed``."""
        return "/".join([self.study, *self.names.values()])

    @property
    def record(self) -> Path:
        """Folder of its record, which is committed."""
        return RECORDS / self.name

    @property
    def is_finished(self) -> bool:
        """Whether its record exists; changes of code do not matter."""
        return (self.record / RECORD).exists()

    def path(self, template: str, **names: str) -> Path:
        """Path of a template, as of ``contract.template``, in the shared results."""
        return HOME / template.format(study=self.study, **(self.names | names))

    def of(self, defence: str) -> "Unit":
        """The unit of another defence, the same otherwise."""
        return self._replace(defence=defence)
