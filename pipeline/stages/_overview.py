"""Folder layout of the stage overview, which the stage report reads."""

SETTINGS, INFORMATION = "settings", "information"  # folders
ATTACKS = "attacks"  # the figure of a setting that is shown first
