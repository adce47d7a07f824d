"""What the page of an evaluation and the page of a study share.

numbers.py  numbers as people read them
norms.py    norms in words
badges.py   colours of the classes of a verdict
page.css    the look of a page
assets.py   files inside a page, so that it is one file
saving.py   figures as files
tile.py     images in figures and pages
"""
