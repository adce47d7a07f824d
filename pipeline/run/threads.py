"""On how many threads of the processor a job computes: ``ROBUSTINFO_THREADS``, else one."""

import os

from robustinfo.core.errors import UserError


def threads() -> int:
    """Threads of one job on the CPU; results are the same to the bit for one number of them."""
    given = os.environ.get("ROBUSTINFO_THREADS", "1")
    if not given.isdecimal() or given == "0":
        raise UserError(f"ROBUSTINFO_THREADS is {given!r}; it must be a whole number from 1")
    return int(given)
