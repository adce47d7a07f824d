"""Number of processor threads of a job: ``ROBUSTINFO_THREADS``, else one."""

import os

from robustinfo.core.errors import UserError


def threads() -> int:
    """Number of threads of one job; equal numbers give results that are equal to the bit."""
    value = os.environ.get("ROBUSTINFO_THREADS", "1")
    if not value.isdecimal() or value == "0":
        raise UserError(f"ROBUSTINFO_THREADS is {value!r}; it must be a whole number from 1")
    return int(value)
