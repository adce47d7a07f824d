"""``FILE.safetensors``: a network that the pipeline trained, ``model.safetensors`` or a snapshot.

The file says its architecture, inputs, classes and defence. Its sha256 is checked.
"""

from pathlib import Path

from robustinfo.core import checkpoint, registry
from robustinfo.core.errors import UserError, one_line
from robustinfo.evaluation.sources._fingerprint import file_sha256
from robustinfo.evaluation.sources._request import Loaded, ModelRequest

# In the metadata: ``8, of 10 snapshots of 40 epochs, by ...``, where it was chosen among snapshots.
CHOSEN_EPOCH = "chosen_epoch"


def load(text: str, request: ModelRequest) -> Loaded:
    """The network and its checkpoint. Raises UserError for other images, classes or layers."""
    file = Path(text)
    content = checkpoint.load(file)
    try:
        registry.config("defences", content.defence)
    except ValueError as error:
        raise UserError(
            f"{text}: its defence {content.defence} is none of this version "
            f"({one_line(error)[:300]}); use the version that trained it"
        ) from error
    if (content.shape, content.classes) != (request.shape, request.classes):
        description = checkpoint.describe(content.architecture, content.shape, content.classes)
        raise UserError(
            f"{text} holds {description}, and the data are images of "
            f"{' x '.join(map(str, request.shape))} in {request.classes} classes; name the data "
            "of its study, at that size"
        )
    try:
        network = checkpoint.network(content)
    except UserError as error:
        raise UserError(f"{text}: {error}") from error
    chosen = content.trained_on.get(CHOSEN_EPOCH)
    notes = (f"is the network of epoch {chosen}",) if chosen else ()
    return Loaded(network, file_sha256(file), notes, checkpoint=content)
