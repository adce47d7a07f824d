"""``FILE.onnx``: a network in ONNX, made into torch's operations by onnx2torch, with gradients.

It runs no code of the file. onnx2torch knows the operations of image classifiers up to opset 21;
what it does not know is an error that names it.
"""

from pathlib import Path

from robustinfo.core.errors import UserError
from robustinfo.evaluation.sources._error_origin import error_with_origin
from robustinfo.evaluation.sources._fingerprint import file_sha256
from robustinfo.evaluation.sources._request import (
    Loaded,
    ModelRequest,
    copy_lines,
    import_extra,
)

AGAIN = copy_lines(
    'shapes = {"x": {0: "n"}, "logits": {0: "n"}}',
    'names = {"input_names": ["x"], "output_names": ["logits"], "dynamic_axes": shapes}',
    'torch.onnx.export(network.eval(), x, "network.onnx", dynamo=False, **names)',
)


def load(text: str, request: ModelRequest) -> Loaded:
    """The network of the file. Raises UserError if it cannot be made into torch's operations."""
    onnx2torch = import_extra("onnx2torch", extra="onnx")
    try:
        network = onnx2torch.convert(text)
    except Exception as error:  # of onnx, onnx2torch and protobuf
        raise UserError(
            f"{text} cannot be made into torch's operations ({error_with_origin(error)}); write it "
            f"anew, or judge its weights by --build or its answers by a function of images:{AGAIN}"
        ) from error
    return Loaded(
        network,
        file_sha256(Path(text)),
        ("is made into torch's operations by onnx2torch",),
        advice=f"; for any number of images it is written so, from some images x:{AGAIN}",
    )
