"""Every class of a verdict in words: the sentence, what it means, and what to do next."""

from typing import NamedTuple

from robustinfo.evaluation.checks import CLASSES, NOT_ENOUGH
from robustinfo.evaluation.display.norms import NORMS
from robustinfo.evaluation.display.numbers import pixels
from robustinfo.evaluation.report.schema import Document

INTERVAL = "95 % Wilson score interval over the choice of the images"  # fraction_interval


class Words(NamedTuple):
    """A class in words."""

    sentence: str
    means: str
    todo: str


_WORDS = (
    Words(
        "The evaluation is not valid: it says nothing about this network.",
        "Something basic is wrong with the network, the data or an attack, so the numbers are not "
        "those of this network under attack.",
        "Mend what the failed checks name, and judge again. Do not report the accuracy.",
    ),
    Words(
        "Its gradients are masked: it looks more robust than it is.",
        "Gradient attacks fail here, and not because there is nothing to find. Images that count "
        "as robust may well have adversarial examples.",
        "Attack in the way that the failed checks name, as through a differentiable stand-in or on "
        "the margin, and judge again. Do not report the accuracy as robust.",
    ),
    Words(
        "It needs an attack that is made for it: the standard ones miss its weak points.",
        "Its answers are random, or have no gradient, or an attack that knows the defence breaks "
        "more than those that do not.",
        "Attack the mean of many answers, or through a differentiable stand-in, or the defence "
        "itself, as the failed checks say. Report that accuracy, not this one.",
    ),
    Words(
        "The attacks were too short: longer ones break more.",
        "The attacks had not found all there was when they stopped, so its true robust accuracy "
        "is lower.",
        "Give the attacks more steps, restarts and losses (a larger protocol), and judge again.",
    ),
    Words(
        "It is broken: no more images are left than by guessing.",
        "Within this threat model the attacks turn nearly every image. Each adversarial image was "
        "verified, so stronger attacks cannot make it better.",
        "There is no robustness to report at this epsilon. A smaller one, or the curve over "
        "epsilon, says how far the network does resist.",
    ),
    Words(
        "The defence brings nothing: without it a network resists as well.",
        "Whatever robustness there is does not come from the defence.",
        "Report both networks side by side. More images would show a gain of less than 5 points.",
    ),
    Words(
        "Not enough was tried to say that it holds.",
        "No check shows that the number is wrong, but some that would show it could not be decided "
        "or were not made: a robust network and one that was attacked too weakly look alike here.",
        "Take a larger protocol, or more images, as the checks below say.",
    ),
    Words(
        "It holds against what was tried.",
        "No check found a fault with the attacks, and they left what is said here. That is "
        "evidence and no proof: stronger attacks, and ones made for this defence, may break more.",
        "Report the accuracy with its interval, the threat model and the protocol. If the network "
        "has a defence, attack that, too (the adaptive attack).",
    ),
)
WORDS = dict(zip(CLASSES, _WORDS, strict=True))
BLACK_BOX = (
    "The network was known by its answers alone, so no attack could climb its gradient. Whoever "
    "has its weights will break more."
)


def words(document: Document) -> Words:
    """The verdict of an evaluation in words; of a black box it says what could not be tried."""
    found = WORDS[document.verdict]
    if not document.black_box:
        needed = max((one.images_needed or 0 for one in document.checks), default=0)
        more = f" They ask for up to about {needed:,} images like these." if needed else ""
        return found._replace(todo=found.todo + more * (document.verdict == NOT_ENOUGH))
    todo = "Judge the network itself, with its weights, before anything is said to be robust."
    return Words(found.sentence, f"{BLACK_BOX} {found.means}", todo)


def accuracy_name(document: Document) -> str:
    """The name of the accuracy that the attacks left."""
    return "black-box accuracy" if document.black_box else "robust accuracy"


def threat(document: Document) -> str:
    """The threat model in a sentence."""
    about = document.threat
    return NORMS[about.norm].allows.format(size=pixels(about.epsilon))
