"""One file per complexity of an image or a text; each defines ``Config`` and ``measure``."""
