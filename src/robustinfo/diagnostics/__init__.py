"""One file per check of a trained model; each defines ``Config`` and ``diagnose``."""
