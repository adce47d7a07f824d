"""The evidence: a written list of trainings that are too long for a study's first run.

``make evidence`` works at it in the background, one unit after the other; what is finished is
committed under benchmarks/evidence/ with the commit that made it, and never made again.
"""
