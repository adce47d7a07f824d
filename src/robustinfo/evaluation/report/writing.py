"""Write everything that is drawn from an evaluation into its folder."""

import sys
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from itertools import chain
from pathlib import Path
from typing import Any
from warnings import catch_warnings, filterwarnings

from robustinfo.core.files import atomic_write, disk_errors
from robustinfo.evaluation.display.assets import svg
from robustinfo.evaluation.display.saving import save
from robustinfo.evaluation.report import latex
from robustinfo.evaluation.report.figures import INK, figures
from robustinfo.evaluation.report.gallery import figure as gallery_figure
from robustinfo.evaluation.report.page import page
from robustinfo.evaluation.report.schema import Document, read
from robustinfo.evaluation.report.tiles import Gallery, Tiles, checked, tiles

PAGE, FIGURES, GALLERY = "report.html", "figures", "gallery"
EXTRA = ("jinja2", "matplotlib")  # packages
INSTALL = "report.html and figures need two more packages: pip install 'robustinfo[report]'"
CAPTIONS = {  # of the figures that the page shows; the gallery's images it shows themselves
    "attacks": "What each attack leaves by itself, and all of them together",
    "accuracy_by_epsilon": "Accuracy by epsilon, under PGD on the margin: it has to fall",
    "accuracy_by_severity": "Accuracy by severity of common corruptions: each, and their mean",
}
FORMATS = (".svg", ".pdf")


def write(
    folder: Path,
    document: Mapping[str, Any],
    gallery: Gallery | None,
    *,
    say: Callable[[str], object] = lambda text: print(text, file=sys.stderr),
) -> list[Path]:
    """Write row.tex, table.tex, report.html and figures/*.svg and *.pdf; return these files.

    document: of evaluation.json. gallery: adversarial images to be shown, if there are any. Without
    the extra `report` the .tex files are all, and ``say`` is told how to install it. Each file is
    written whole or not at all; figures of an earlier evaluation are removed. Raises UserError
    where the document is not as evaluation.json is, or the gallery not as Gallery says, and
    DiskError where the disk refuses.
    """
    about = read(document)
    shown = checked(gallery) if gallery is not None and len(gallery.labels) else None
    texts = {"row.tex": latex.row(document), "table.tex": latex.table(document)}
    written = [_write(folder / name, text) for name, text in texts.items()]
    if not all(map(find_spec, EXTRA)):
        say(INSTALL)
        return written
    images = [] if shown is None else tiles(shown, about.threat)
    files = _draw(folder / FIGURES, about, shown, images)
    svgs = {
        name: (caption, _inline(files[name][0]))
        for name, caption in CAPTIONS.items()
        if name in files
    }
    content = page(about, svgs, shown, images)
    return [*written, *chain.from_iterable(files.values()), _write(folder / PAGE, content)]


def _write(file: Path, text: str) -> Path:
    with atomic_write(file) as partial_file:
        partial_file.write_text(text, encoding="utf-8")
    return file


def _draw(
    folder: Path, document: Document, gallery: Gallery | None, images: list[Tiles]
) -> dict[str, list[Path]]:
    """Draw every figure, and return the files by its name."""
    drawn = dict(figures(document))
    if gallery is not None:
        drawn[GALLERY] = gallery_figure(gallery, images)
    files = {name: [folder / (name + form) for form in FORMATS] for name in (*CAPTIONS, GALLERY)}
    with catch_warnings():
        filterwarnings("ignore", message="Glyph")  # of a writing that matplotlib's font has not
        for name, figure in drawn.items():
            save(figure, *files[name])
    for name in files.keys() - drawn.keys():
        for stale in files[name]:
            with disk_errors(stale):
                stale.unlink(missing_ok=True)
    return {name: files[name] for name in drawn}


def _inline(file: Path) -> str:
    """A figure's svg in the colour of the text around it."""
    return svg(file).replace(INK, "currentColor")
