"""``FILE.safetensors``: a network that the pipeline trained, ``model.safetensors`` or a snapshot.

The file says its architecture, inputs, classes and defence. Its sha256 is checked.
"""

from pathlib import Path

from robustinfo.core import checkpoint
from robustinfo.core.errors import UserError
from robustinfo.evaluation.sources._fingerprint import file_sha256
from robustinfo.evaluation.sources._request import Loaded, ModelRequest


def load(text: str, request: ModelRequest) -> Loaded:
    """The network and its checkpoint. Raises UserError for other images, classes or layers."""
    file = Path(text)
    content = checkpoint.load(file)
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
    return Loaded(network, file_sha256(file), checkpoint=content)
