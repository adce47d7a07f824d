"""How a table is drawn: one file per drawing; each defines ``draw``."""
