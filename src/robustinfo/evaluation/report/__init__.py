"""What ``--out FOLDER`` has beside evaluation.json: a page, figures, and LaTeX.

writing.py    writes all of it (``write``)
schema.py     what evaluation.json holds, checked once
page.py       the page, from page.html and its parts; its words are in verdicts.py (the verdict),
              quantities.py (checks) and attack_words.py (attacks)
latex.py      a row and a table for a paper
distances.py  the section of least distances
beside.py     calibration and accuracy under corruptions, which stand beside robust accuracy
figures.py    accuracy by attack, epsilon and severity; gallery.py draws images, which tiles.py
              prepares

What the page of a study shares lies in display/. LaTeX needs no more than the library; all else
needs the extra `report`, and imports it where it is used.
"""

from robustinfo.evaluation.report import latex
from robustinfo.evaluation.report.tiles import Gallery
from robustinfo.evaluation.report.writing import write

__all__ = ["Gallery", "latex", "write"]
