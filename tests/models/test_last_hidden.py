"""The last hidden layer among the points of a network."""

import pytest
import torch

from robustinfo.core import registry

IMAGE = (3, 64, 64)


@pytest.mark.parametrize(
    ("entry", "layer"),
    [
        ({"method": "lenet5"}, "fc2"),  # fc3 gives the logits
        ({"method": "lenet5", "probes": ["input", "conv1", "fc3", "softmax"]}, "conv1"),
        ({"method": "lenet5", "probes": ["input", "softmax"]}, None),
        ({"method": "resnet18"}, "average"),
        ({"method": "ensemble", "members": 2, "network": {"method": "lenet5"}}, "members.1.fc2"),
    ],
)
def test_it_is_neither_the_inputs_nor_what_follows_the_logits(entry, layer):
    with torch.device("meta"):
        assert registry.get("models", entry)(IMAGE, 10).last_hidden == layer
