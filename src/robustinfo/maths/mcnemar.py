"""The former name of ``maths.statistics.mcnemar``, until nothing asks for it."""

from robustinfo.maths.statistics import mcnemar  # noqa: F401
