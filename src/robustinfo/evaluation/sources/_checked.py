"""From a loaded network to one that is judged: normalised, checked, with all that is said of it."""

from robustinfo.evaluation.sources._check import check_classifier
from robustinfo.evaluation.sources._fingerprint import network_sha256
from robustinfo.evaluation.sources._guarded import Guarded
from robustinfo.evaluation.sources._normalised import Numbers, normalised
from robustinfo.evaluation.sources._request import Loaded, ModelRequest


def checked(
    loaded: Loaded,
    text: str,
    request: ModelRequest,
    mean: Numbers | None,
    std: Numbers | None,
) -> Guarded:
    """The Guarded network in eval mode on the request's device, with notes, source and sha256.

    Raises UserError if it does not classify the images.
    """
    sha256 = network_sha256(loaded.network) if loaded.sha256 is None else loaded.sha256
    network = normalised(loaded.network, mean, std, text, request.shape[0])
    guard = check_classifier(network, text, request, loaded.advice)
    guard.notes = [f"{text} {note}" for note in loaded.notes] + guard.notes
    guard.source, guard.sha256, guard.checkpoint = text, sha256, loaded.checkpoint
    return guard
