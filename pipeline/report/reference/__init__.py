"""docs/reference.md: sections of studies, results and methods, generated from the code."""
