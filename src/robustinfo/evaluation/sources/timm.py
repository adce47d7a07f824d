"""``timm:NAME``: a network of timm with its pretrained weights, such as ``timm:resnet50.a1_in1k``.

Mean and standard deviation of its data configuration are put inside; of its other transforms, none.
Weights come from the Hugging Face Hub, as timm fetches them.
"""

from robustinfo.core.errors import UserError
from robustinfo.evaluation.sources._normalised import normalised
from robustinfo.evaluation.sources._request import (
    Loaded,
    ModelRequest,
    check_name,
    import_extra,
    unavailable,
)


def load(name: str, request: ModelRequest) -> Loaded:
    """Images in [0, 1] -> logits of the classes it was trained on. Raises UserError."""
    timm, text = import_extra("timm"), f"timm:{name}"
    if not timm.is_model(name):
        check_name(name, timm.list_models(), text, "timm")
    if not timm.is_model_pretrained(name):
        raise UserError(
            f"{text} has no pretrained weights, and an untrained network shows nothing; choose one "
            f"of: {', '.join(timm.list_pretrained()[:5])} ..."
        )
    try:
        network = timm.create_model(name, pretrained=True)
    except Exception as error:  # the Hub's errors change with its versions
        raise unavailable(text, error, "the Hub's cache (HF_HOME)") from error
    data = timm.data.resolve_model_data_config(network)
    return Loaded(normalised(network, data["mean"], data["std"], text, request.shape[0]))
