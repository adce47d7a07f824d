"""One file per measure of a representation; each defines ``Config`` and ``estimate``."""
