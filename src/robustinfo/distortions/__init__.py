"""One file per distortion of images; each defines ``Config`` and ``distort``."""
