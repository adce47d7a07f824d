"""The evaluations of several threat models, one after another, on the same images."""

from collections.abc import Sequence
from functools import partial

from robustinfo.evaluation.evaluation import Evaluation
from robustinfo.evaluation.images import LabelledImages
from robustinfo.evaluation.progress import Progress, Step
from robustinfo.evaluation.questions import Questions, ask, check
from robustinfo.evaluation.sources._guarded import Guarded
from robustinfo.evaluation.threats import Ball
from robustinfo.evaluation.union.evaluation import UnionEvaluation


def ask_all(
    questions: Questions,
    balls: Sequence[Ball],
    network: Guarded,
    data: LabelledImages,
    *,
    twin: Guarded | None = None,
    progress: Progress = print,
) -> UnionEvaluation:
    """The union of the threat models; other arguments as in ``ask``. Raises UserError.

    balls: each of another norm, instead of the questions' own. The finished parts of a norm are
    kept in a folder of its name.
    """
    of_each = [
        questions._replace(
            ball=ball, folder=None if questions.folder is None else questions.folder / ball.norm
        )
        for ball in balls
    ]
    for own in of_each:  # before the first is asked
        check(own, data)
    evaluations: dict[str, Evaluation] = {}
    for place, own in enumerate(of_each):
        tell = partial(_tell, progress, own.ball.norm, place, len(balls))
        evaluations[own.ball.norm] = ask(own, network, data, twin=twin, progress=tell)
    return UnionEvaluation(evaluations)


def _tell(progress: Progress, norm: str, place: int, count: int, step: Step) -> None:
    """Tell a step of one of ``count`` evaluations as a step of all."""
    progress(Step((place + step.fraction) / count, f"{norm}, {step.work}", step.result))
