"""One file per classification loss; each defines ``Config`` and ``loss``."""
