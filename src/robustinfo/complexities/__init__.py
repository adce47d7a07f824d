"""One file per complexity of an image; each defines ``Config`` and ``measure``."""
