"""The page of an evaluation: one file that opens offline. Needs the extra `report`."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from robustinfo.evaluation.checks import UNTRUSTED
from robustinfo.evaluation.display import numbers
from robustinfo.evaluation.display.assets import TEMPLATES
from robustinfo.evaluation.display.badges import BADGES
from robustinfo.evaluation.display.tile import png
from robustinfo.evaluation.report import attack_words, beside, distances, quantities, verdicts
from robustinfo.evaluation.report.check_groups import FIRST, grouped
from robustinfo.evaluation.report.schema import Document, Protocol
from robustinfo.evaluation.report.tiles import Gallery, Tiles

if TYPE_CHECKING:
    import jinja2

OF_ATTACKS, BY_SEVERITY = ("attacks", "accuracy_by_epsilon"), "accuracy_by_severity"  # figures
MOST_CLASSES = 20  # that are shown; the others are folded
FILTERS = {
    "percent": numbers.percent,
    "pixels": numbers.pixels,
    "duration": numbers.duration,
    "name": attack_words.name,
    "details": attack_words.details,
    "check_text": quantities.in_words,
    "sentence": lambda text: text[0].upper() + text[1:],
}


def page(
    document: Document,
    figures: Mapping[str, tuple[str, str]],
    gallery: Gallery | None,
    images: list[Tiles],
) -> str:
    """The page in HTML.  figures: {name: (caption, svg)}.  images: the tiles of the gallery."""
    groups = grouped(document.checks)
    return (
        environment()
        .get_template("page.html")
        .render(
            e=document,
            words=verdicts.words(document),
            threat=verdicts.threat(document),
            counted_as="withstanding" if document.black_box else "robust",
            accuracy_name=verdicts.accuracy_name(document),
            interval=verdicts.INTERVAL,
            untrusted=document.verdict in UNTRUSTED,
            badges=BADGES,
            measured=quantities.MEASURED,
            groups={title: groups[key] for key, title in FIRST.items()},
            passed=groups["passed"],
            not_run=groups["not run"],
            figures=[figures[name] for name in OF_ATTACKS if name in figures],
            beside=beside.lines(document.calibration, document.corruptions),
            by_severity=figures.get(BY_SEVERITY),
            roles=attack_words.ROLES,
            attacks=sorted(document.attacks.items(), key=lambda pair: pair[1].leaves),
            classes=sorted(document.by_class, key=lambda one: (one.robust_accuracy, one.name)),
            most=MOST_CLASSES,
            tiles=_gallery(gallery, images),
            protocol=_protocol(document.protocol),
            distances=distances.shown(document.distances),
        )
    )


def environment(*folders: Path) -> "jinja2.Environment":
    """What fills the templates of this folder and of display/, and those of other folders."""
    import jinja2

    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader([*folders, Path(__file__).parent, TEMPLATES]),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    made.filters |= FILTERS
    return made


def _gallery(gallery: Gallery | None, images: list[Tiles]) -> list[dict[str, Any]]:
    if gallery is None:
        return []
    texts = zip(gallery.labels, gallery.before, gallery.after, gallery.attack, strict=True)
    names = [dict(zip(("label", "before", "after", "attack"), text, strict=True)) for text in texts]
    return [
        text | {part: png(tile) for part, tile in image._asdict().items()}
        for text, image in zip(names, images, strict=True)
    ]


def _protocol(protocol: Protocol) -> str:
    """The numbers of a protocol in words."""
    count = attack_words.count
    parts = [
        f"{protocol.images:,} images",
        f"PGD of {count('steps', protocol.steps)} and {count('restarts', protocol.restarts)}",
        f"Square of {count('queries', protocol.queries)}",
        f"HopSkipJump of {count('steps', protocol.walk)}" if protocol.walk else "no HopSkipJump",
        f"{protocol.draws:,} random draws",
        f"{protocol.planted} images with planted adversarial examples",
        "AutoAttack" if protocol.ensemble else "no AutoAttack",
    ]
    return ", ".join(parts)
