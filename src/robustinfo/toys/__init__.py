"""One file per computation without data or networks; each defines ``Config`` and ``compute``."""
