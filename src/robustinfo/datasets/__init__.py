"""One file per data set; each defines ``Config`` and ``load``."""
