"""``FILE.onnx``: a network in ONNX, made into torch's operations, with gradients, by onnx2pytorch.

No code of the file is run. What torch computes is compared with ONNX's own reference on one image.
"""

import math
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from robustinfo.core.errors import UserError
from robustinfo.evaluation.sources._error_origin import error_with_origin
from robustinfo.evaluation.sources._fingerprint import file_sha256
from robustinfo.evaluation.sources._request import (
    Loaded,
    ModelRequest,
    copy_lines,
    import_extra,
)

CLOSE = 0.01  # largest difference of outputs, of their largest size; of float16 it is 0.002
AGAIN = copy_lines(
    'n = torch.export.Dim("n")',
    "options = dict(dynamo=True, dynamic_shapes=({0: n},))",
    'torch.onnx.export(network.eval(), (x,), "network.onnx", **options)',
)


def load(text: str, request: ModelRequest) -> Loaded:
    """The network of the file. Raises UserError if it cannot be made into torch's operations."""
    onnx, onnx2pytorch = import_extra("onnx"), import_extra("onnx2pytorch", extra="onnx")
    try:
        content = onnx.load(text)
        reference = _reference_outputs(content, request)
        network = onnx2pytorch.ConvertModel(_simplified(content)).eval()
        difference = _difference(network, reference) if reference else 0.0
    except Exception as error:  # of onnx, onnx2pytorch and protobuf
        raise UserError(
            f"{text} cannot be made into torch's operations ({error_with_origin(error)}); write it "
            f"anew from the network and some images x, or judge its weights by --build:{AGAIN}"
        ) from error
    note = "is made into torch's operations by onnx2pytorch"
    if reference is None:
        note += ", and could not be compared with ONNX's reference"
    if difference > CLOSE:
        raise UserError(
            f"{text} gives other numbers when it is made into torch's operations, by up to "
            f"{difference:.1%}; judge its weights by --build, or write it anew:{AGAIN}"
        )
    return Loaded(
        network,
        file_sha256(Path(text)),
        (note,),
        advice=f"; for any number of images it is written so, from some images x:{AGAIN}",
    )


def _simplified(content: Any) -> Any:  # noqa: ANN401
    """The same without what onnx2pytorch does not know: other names of weights, a default."""
    nodes, other_names = [], dict[str, str]()
    weights = {one.name for one in content.graph.initializer}
    for node in content.graph.node:
        node.input[:] = [other_names.get(name, name) for name in node.input]
        for attribute in [one for one in node.attribute if one.name == "training_mode"]:
            if attribute.i == 0:
                node.attribute.remove(attribute)
        if node.op_type == "Identity" and node.input[0] in weights:
            other_names[node.output[0]] = node.input[0]
        else:
            nodes.append(node)
    del content.graph.node[:]
    content.graph.node.extend(nodes)
    return content


def _reference_outputs(
    content: Any,  # noqa: ANN401
    request: ModelRequest,
) -> tuple[np.ndarray, np.ndarray] | None:
    """Random images, as many as the file asks for, and what ONNX's reference gives for them.

    None where the reference does not know an operation, or cannot read such images.
    """
    from onnx.helper import tensor_dtype_to_np_dtype
    from onnx.reference import ReferenceEvaluator

    try:
        entry = next(iter(content.graph.input))
        kind = entry.type.tensor_type
        count = kind.shape.dim[0].dim_value or 1
        images = np.random.default_rng(0).random((count, *request.shape))
        images = images.astype(tensor_dtype_to_np_dtype(kind.elem_type))
        return images, ReferenceEvaluator(content).run(None, {entry.name: images})[0]
    except Exception:  # whatever its operations raise: the check of the network says it better
        return None


@torch.no_grad()
def _difference(network: nn.Module, reference: tuple[np.ndarray, np.ndarray]) -> float:
    """The largest difference of the outputs, of their largest size."""
    images, expected = (torch.from_numpy(np.array(one)) for one in reference)
    found = network(images)
    found = found[0] if isinstance(found, tuple | list) else found
    if found.shape != expected.shape:
        return math.inf
    size = expected.double().abs().max().clamp(min=1e-6)
    return ((found.double() - expected.double()).abs().max() / size).item()
