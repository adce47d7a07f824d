"""Finished parts of an evaluation, in a folder: one that is stopped goes on where it was.

    adversarial/ATTACK/FIRST_IMAGE.safetensors   successes, and the adversarial images
    follow_up/FIRST_IMAGE.safetensors
    diagnostics/NAME.safetensors                 measurements
    remedies/NAME/FIRST_IMAGE.safetensors        as of attacks

Each file is sealed and says what it is the result of; another evaluation's is refused by name.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from torch import Tensor

from robustinfo.core.errors import UserError
from robustinfo.core.measurement import Measurement
from robustinfo.core.sealed import seal, unseal

OF, ROWS = "result_of", "measurements"


class Finished(NamedTuple):
    """A folder of finished parts; without a folder nothing is kept."""

    folder: Path | None = None
    run: Mapping[str, Any] = {}  # what all results depend on, as plain data: networks, seed ...

    def tensors(
        self,
        name: str,
        of: object,
        compute: Callable[[], dict[str, Tensor]],
        *,
        follows: bool = False,
        reusable: bool = True,
    ) -> dict[str, Tensor]:
        """The tensors of the part ``name``, on the CPU if they are read, or computed and kept.

        of: what the part depends on, beside the run, as plain data. follows: it depends on which
        attacks were made; of others, it is made again. reusable: whether all that it depends on is
        in ``of`` and the run; if not, it is kept and never read. Raises UserError for a file that
        is altered, or of another evaluation.
        """
        return self._part(name, of, lambda: (compute(), {}), follows=follows, reusable=reusable)[0]

    def measurements(
        self, name: str, of: object, compute: Callable[[], list[Measurement]]
    ) -> list[Measurement]:
        """The measurements of the part ``name``, which follows the attacks: read, or computed."""

        def rows() -> tuple[dict[str, Tensor], dict[str, str]]:
            return {}, {ROWS: json.dumps([one._asdict() for one in compute()])}

        _, about = self._part(name, of, rows, follows=True, reusable=True)
        return [Measurement(**row) for row in json.loads(about[ROWS])]

    def _part(
        self,
        name: str,
        of: object,
        compute: Callable[[], tuple[dict[str, Tensor], dict[str, str]]],
        *,
        follows: bool,
        reusable: bool,
    ) -> tuple[dict[str, Tensor], dict[str, str]]:
        if self.folder is None:
            return compute()
        file, wanted = self.folder / f"{name}.safetensors", self._digest(of)
        if reusable and file.exists():
            tensors, about = unseal(file)
            if about.get(OF) == wanted:
                return tensors, about
            if not follows:
                raise UserError(
                    f"{file} is of another evaluation (network, images, attack, seed or version "
                    "differ); name another folder, or delete this one"
                )
        tensors, about = compute()
        seal(file, tensors, about | {OF: wanted})
        return tensors, about

    def _digest(self, of: object) -> str:
        text = json.dumps([self.run, of], sort_keys=True, default=str)
        return hashlib.sha256(text.encode()).hexdigest()
