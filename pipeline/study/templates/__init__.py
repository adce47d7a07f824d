"""One file per kind that ``python -m pipeline new`` writes: sound as it is, to be changed."""
