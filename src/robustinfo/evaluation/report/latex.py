r"""An evaluation for a paper: a row for a table of networks, and a table of its attacks.

They need the two packages of their first line. Names are escaped; letters beyond the Latin ones of
Unicode, which pdfLaTeX does not know without more packages, become question marks.
"""

from collections.abc import Mapping
from typing import Any

from robustinfo.evaluation.checks import UNTRUSTED
from robustinfo.evaluation.display.norms import NORMS
from robustinfo.evaluation.display.numbers import pixels
from robustinfo.evaluation.report.attack_words import name
from robustinfo.evaluation.report.schema import Document, read
from robustinfo.evaluation.report.verdicts import INTERVAL, accuracy_name

ESCAPES = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#",
    "%": r"\%", "_": r"\_", "^": r"\textasciicircum{}", "~": r"\textasciitilde{}",
    "<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}",
    "[": "{[}", "]": "{]}", "-": "{-}", "`": "{`}", "'": "{'}", '"': r"\textquotedbl{}",
    **dict.fromkeys("ĦħĸĿŀŉŦŧ", "?"),  # the letters up to LAST_KNOWN that T1 has not
}  # fmt: skip
LAST_KNOWN = "\N{LATIN SMALL LETTER Z WITH CARON}"  # of the letters of T1
PACKAGES = r"% \usepackage{booktabs} \usepackage[T1]{fontenc}"


def row(content: Mapping[str, Any]) -> str:
    """A row of a table of networks, with its head in a comment.  content: of evaluation.json.

    Columns: network, clean accuracy, accuracy under attack with its interval (percent), verdict.
    Raises UserError where the content is not as evaluation.json is.
    """
    about = read(content)
    head = f"% network & clean (%) & {accuracy_name(about)} (%) & verdict"
    cells = [escape(about.model.source), _percent(about.clean_accuracy), _worst(about)]
    return f"{PACKAGES}\n{head}\n{' & '.join([*cells, escape(about.verdict)])} \\\\\n"


def table(content: Mapping[str, Any]) -> str:
    """A table of the attacks, in booktabs lines, with a caption; arguments as in ``row``."""
    about = read(content)
    attacks = sorted(about.attacks.items(), key=lambda pair: pair[1].leaves)
    lines = [_line("none", about.clean_accuracy, about.clean_interval), r"\midrule"]
    lines += [_line(escape(name(one)), by.leaves, by.interval) for one, by in attacks]
    lines += [r"\midrule", f"all, image by image & {_worst(about, ' & ')} \\\\"]
    return "\n".join(
        [
            PACKAGES,
            r"\begin{table}",
            r"\centering",
            f"\\caption{{{_caption(about)}}}",
            r"\begin{tabular}{lrr}",
            r"\toprule",
            r"attack & accuracy (\%) & 95\,\% interval \\",
            r"\midrule",
            *lines,
            r"\bottomrule",
            r"\end{tabular}",
            r"\end{table}",
            "",
        ]
    )


def escape(text: str) -> str:
    """A text as LaTeX prints it, letter by letter."""
    return "".join(ESCAPES.get(letter, letter if letter <= LAST_KNOWN else "?") for letter in text)


def _line(attack: str, accuracy: float, interval: list[float]) -> str:
    return f"{attack} & {_percent(accuracy)} & {_interval(interval)} \\\\"


def _worst(about: Document, separator: str = " ") -> str:
    """Accuracy under all attacks and its interval; at most that, where they are not trusted."""
    most = r"$\le$\," if about.verdict in UNTRUSTED else ""
    return f"{most}{_percent(about.robust_accuracy)}{separator}{_interval(about.interval)}"


def _caption(about: Document) -> str:
    norm, size = NORMS[about.threat.norm].latex, pixels(about.threat.epsilon)
    version = f"{about.protocol.name} of robustinfo {about.robustinfo or ''}".rstrip()
    return (
        f"Clean and {accuracy_name(about)} of {escape(about.model.source)} on {about.n:,} images "
        f"of {escape(about.data.root)} in the ball ${norm} \\le {size}$, protocol "
        f"{escape(version)}, seed {about.seed}. Intervals: {escape(INTERVAL)}. "
        f"Verdict: {escape(about.verdict)}."
    )


def _interval(ends: list[float]) -> str:
    return f"{{[}}{', '.join(map(_percent, ends))}{{]}}"


def _percent(fraction: float) -> str:
    return f"{100 * fraction:.1f}"
