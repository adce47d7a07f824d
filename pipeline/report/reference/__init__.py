"""docs/reference.md: all that a study and its results hold, from the code that makes it."""
