"""What an evaluation of one network found: the verdict, and all that it rests on."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from robustinfo.core.errors import UserError
from robustinfo.core.measurement import Measurement
from robustinfo.core.settings import Entry
from robustinfo.evaluation import distances
from robustinfo.evaluation.accuracy import Accuracy
from robustinfo.evaluation.batches import Batch
from robustinfo.evaluation.beside import Corruptions, calibration, corruptions
from robustinfo.evaluation.certificate import Certificate, certificate
from robustinfo.evaluation.finished import Finished
from robustinfo.evaluation.remedies._after import AfterRemedies
from robustinfo.evaluation.threats import Ball
from robustinfo.evaluation.verdict import Answer, Verdict


class AttackOutcome(NamedTuple):
    """What one attack by itself did.  Masks: (n,) bool."""

    entry: Entry  # its settings; empty of the twin's images, tried on the network
    role: str
    left: Tensor  # correct when clean, and not broken
    broken: Tensor
    outside: Tensor  # its image lies outside the ball or [0, 1], which is no success
    seconds: float | None  # None: not measured by itself

    @property
    def leaves(self) -> Accuracy:
        """The accuracy under this attack alone."""
        return Accuracy.of(self.left)


class ClassAccuracy(NamedTuple):
    """The accuracies of one class."""

    clean: Accuracy
    robust: Accuracy


@dataclass(frozen=True, eq=False)
class Result:
    """The verdict on one network, and its evidence; n images in a threat model.

    Tensors lie on the CPU. ``robust`` is per image: correct when clean, and under every attack and
    its follow-up.
    """

    conclusion: Verdict
    threat: Ball
    labels: Tensor  # (n,) int64
    clean_correct: Tensor  # (n,) bool
    robust: Tensor  # (n,) bool
    attacks: dict[str, AttackOutcome]
    broken_by_follow_up: Tensor  # (n,) bool: by longer attacks, after all others
    not_made: dict[str, str]  # the attacks that could not run, and why
    measurements: list[Measurement]
    diagnosed: int  # so many of the first images the diagnostics were made on
    black_box: bool  # whether only its answers were known: no gradient attack was possible
    data_sha256: str  # of the images and labels
    crafted: Callable[..., Iterator[tuple[Batch, Tensor]]]  # task.crafted_again, but for a name
    classify: Callable[[Tensor], Tensor]  # (n, c, h, w) on the device -> (n,) classes
    finished: Finished  # where its finished parts are
    after_remedies: AfterRemedies | None  # None: no remedy was called for, or wanted

    @property
    def verdict(self) -> str:
        """The class, one of ``checks.CLASSES``."""
        return self.conclusion.verdict

    @property
    def checks(self) -> list[Answer]:
        """Every check with its answer, in the order of ``checks.CHECKS``."""
        return self.conclusion.answers

    @property
    def n(self) -> int:
        """The number of images."""
        return len(self.labels)

    @property
    def clean_accuracy(self) -> Accuracy:
        """The fraction of clean images that are classified correctly."""
        return Accuracy.of(self.clean_correct)

    @property
    def robust_accuracy(self) -> Accuracy:
        """The fraction of images that are correct when clean, and under every attack."""
        return Accuracy.of(self.robust)

    @property
    def certified(self) -> Certificate | None:
        """What bounds prove of the images that diagnostics ran on; None of a black box."""
        return certificate(self.measurements)

    @property
    def by_class(self) -> dict[int, ClassAccuracy]:
        """The accuracies of each class that has images, by its label."""
        return {
            label: ClassAccuracy(
                Accuracy.of(self.clean_correct[self.labels == label]),
                Accuracy.of(self.robust[self.labels == label]),
            )
            for label in self.labels.unique().tolist()
        }

    @property
    def distances(self) -> Tensor | None:
        """The least distance found of a misclassified image, (n,) float64, in the threat's norm.

        In pixel values of [0, 1]; 0: misclassified when clean; infinite: none was found; NaN: of
        images beyond the protocol's. None: none were looked for, as in ``tiny`` and ``small``.
        """
        return distances.per_image(
            self.measurements,
            self.diagnosed,
            self.clean_correct,
            self.robust,
            self.threat.epsilon,
        )

    def accuracy_at(self, epsilon: float) -> Accuracy:
        """The accuracy at any epsilon, read off ``distances``: at most so much is robust there.

        Raises UserError where there are no distances.
        """
        found = self.distances
        if found is None:
            raise UserError(
                "no distances were looked for; judge with protocol medium or a larger one"
            )
        return Accuracy.of(found[~found.isnan()] > epsilon)

    @property
    def calibration(self) -> dict[str, Measurement]:
        """Calibration on clean images by quantity (diagnostics/calibration.py); empty: unknown."""
        return calibration(self.measurements)

    @property
    def corruptions(self) -> Corruptions | None:
        """Accuracy under common corruptions; None where it was not measured."""
        return corruptions(self.measurements)

    def adversarial_images(self, attack: str | None = None) -> Tensor:
        """The images that an attack made, (n, c, h, w); where it did not succeed, the clean ones.

        attack: one of ``attacks``; None: of each image, from the first attack that broke it. Read
        from the folder of the evaluation, or made again from the same seeds. Raises UserError for
        an unknown name.
        """
        names = [attack] if attack is not None else self._in_order_of_success()
        for name in names:
            if name not in self.attacks:
                known = ", ".join(self.attacks)
                raise UserError(f"no attack {name!r} was made; choose one of: {known}")
        images, done = torch.empty(0), torch.zeros_like(self.robust)
        for name in names:
            parts = [(batch.x.cpu(), x_adv.cpu()) for batch, x_adv in self.crafted(name)]
            clean, made = (torch.cat(every) for every in zip(*parts, strict=True))
            new = self.attacks[name].broken & ~done
            before = images if len(images) else clean
            images = torch.where(new.view(-1, 1, 1, 1), made, before)
            done |= new
        return images

    def _in_order_of_success(self) -> list[str]:
        """The attacks that broke images which the ones before them did not; at least one."""
        names, done = [], torch.zeros_like(self.robust)
        for name, one in self.attacks.items():
            if (one.broken & ~done).any():
                names.append(name)
                done |= one.broken
        return names or [next(iter(self.attacks))]
