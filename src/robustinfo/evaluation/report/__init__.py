"""What ``--out FOLDER`` has beside evaluation.json: a page, figures, and LaTeX.

writing.py    writes all of it (``write``)
schema.py     what evaluation.json holds, checked once
page.py       the page, from page.html and its parts; its words are in verdicts.py (the verdict),
              quantities.py (checks), attack_words.py (attacks) and numbers.py
latex.py      a row and a table for a paper
figures.py    accuracy by epsilon, and by attack; gallery.py draws images, which tiles.py prepares

The pipeline's page shares page.css, badges.py, assets.py, saving.py and numbers.py. LaTeX needs no
more than the library; all else needs the extra `report`, and imports it where it is used.
"""

from robustinfo.evaluation.report import latex
from robustinfo.evaluation.report.tiles import Gallery
from robustinfo.evaluation.report.writing import write

__all__ = ["Gallery", "latex", "write"]
