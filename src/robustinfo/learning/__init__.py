"""One file per question of what a network needs to learn; each defines ``Config`` and ``learn``."""
