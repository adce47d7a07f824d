"""The colours of the classes of a verdict, as pages show them beside the word."""

from robustinfo.evaluation.checks import CLASSES, NOTE

# (ground, ink) of every class, from worst to best; both stay as they are in dark mode.
COLOURS = [
    ("#3d3d3d", "#ffffff"),
    ("#5b2a86", "#ffffff"),
    ("#1f4e8c", "#ffffff"),
    ("#0a666d", "#ffffff"),
    ("#b3261e", "#ffffff"),
    ("#f2c14e", "#1c2733"),
    ("#d9dee3", "#1c2733"),
    ("#1b6e3a", "#ffffff"),
]
# {class: (ground, ink)}, and those of a note, which is no class.
BADGES = dict(zip(CLASSES, COLOURS, strict=True)) | {NOTE: ("#cfe3f5", "#123a5c")}
