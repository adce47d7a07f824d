"""Restore global settings of torch that the user's code changes.

Modules switch gradients off, choose another default dtype or device, or enter inference mode, at
import, while they build a network, or in its forward. Some seed torch there, so that their noise
is the same every time; the attacks' random numbers would be, too.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def restoring_torch_state() -> Iterator[None]:
    """Restore grad mode, inference mode, defaults and precision of torch afterwards.

    The state of a random generator is restored only if it was seeded meanwhile.
    """
    # Not get_default_device: until torch 2.8 it fails after set_default_device(None).
    dtype, device = torch.get_default_dtype(), torch.empty(0).device
    precision, tf32 = torch.get_float32_matmul_precision(), torch.backends.cudnn.allow_tf32
    draws = [(one, one.initial_seed(), one.get_state()) for one in _generators()]
    gradients = torch.is_grad_enabled()  # inference_mode(False) would switch them on
    # Both guards come back to what was before them, whatever was entered and not left in between.
    with torch.inference_mode(torch.is_inference_mode_enabled()):
        with torch.set_grad_enabled(gradients):
            try:
                yield
            finally:
                if torch.get_default_dtype() != dtype:
                    torch.set_default_dtype(dtype)
                if torch.empty(0).device != device:
                    # To name the CPU slows every call down; it is what None means.
                    torch.set_default_device(None if device.type == "cpu" else device)
                if torch.get_float32_matmul_precision() != precision:
                    torch.set_float32_matmul_precision(precision)
                torch.backends.cudnn.allow_tf32 = tf32
                for generator, seed, state in draws:
                    if generator.initial_seed() != seed:
                        generator.set_state(state)


def _generators() -> list[torch.Generator]:
    """Torch's default generators."""
    return [
        torch.default_generator,
        *(torch.cuda.default_generators if torch.cuda.is_initialized() else ()),
    ]
