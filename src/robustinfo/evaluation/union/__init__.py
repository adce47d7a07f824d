"""Several threat models at once: an evaluation in each, and what is robust in all of them.

asking.py      the evaluations, one after another, on the same images
result.py      their union, image by image
evaluation.py  what ``robustinfo.judge`` gives: the union, and how it is written
document.py    as data; printing.py in a terminal; latex.py for a paper; page.py, from union.html,
               the first page, which links to that of each threat model

Nothing is attacked, measured or checked here that an evaluation of one threat model has not.
"""
