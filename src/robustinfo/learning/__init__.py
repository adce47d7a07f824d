"""One file per way of learning from the images of a run; each defines ``Config`` and ``learn``."""
