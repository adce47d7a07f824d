"""Evidence: a list of trainings that are too long for a study's first run.

``make evidence`` works through it in the background, one unit after the other; finished units are
committed under benchmarks/evidence/ with the commit that made them, and never made again.
"""
