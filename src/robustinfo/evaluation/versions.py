"""Versions of Python and of the packages that compute."""

import platform
from importlib.metadata import PackageNotFoundError, version

PACKAGES = ("robustinfo", "torch", "torchvision", "numpy", "scipy", "foolbox", "pyautoattack")


def versions() -> dict[str, str]:
    """{name: version}; without copies that are not installed."""
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
