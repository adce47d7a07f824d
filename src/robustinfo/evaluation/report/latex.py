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
from robustinfo.evaluation.report.schema import Document, Threat, read
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
    worst = with_interval(about.robust_accuracy, about.interval, about.verdict, separator=" ")
    cells = [escape(about.model.source), percent(about.clean_accuracy), worst]
    return f"{PACKAGES}\n{head}\n{' & '.join([*cells, escape(about.verdict)])} \\\\\n"


def table(content: Mapping[str, Any]) -> str:
    """A table of the attacks, in booktabs lines, with a caption; arguments as in ``row``."""
    about = read(content)
    attacks = sorted(about.attacks.items(), key=lambda pair: pair[1].leaves)
    lines = [_line("none", about.clean_accuracy, about.clean_interval), r"\midrule"]
    lines += [_line(escape(name(one)), by.leaves, by.interval) for one, by in attacks]
    worst = with_interval(about.robust_accuracy, about.interval, about.verdict)
    lines += [r"\midrule", f"all, image by image & {worst} \\\\"]
    return framed(_caption(about), "lrr", r"attack & accuracy (\%) & 95\,\% interval", lines)


def framed(caption: str, columns: str, head: str, lines: list[str]) -> str:
    """A table in booktabs lines.  columns: as of tabular.  lines: below the head, whole."""
    return "\n".join(
        [
            PACKAGES,
            r"\begin{table}",
            r"\centering",
            f"\\caption{{{caption}}}",
            f"\\begin{{tabular}}{{{columns}}}",
            r"\toprule",
            f"{head} \\\\",
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


def with_interval(
    accuracy: float, interval: list[float], verdict: str = "", separator: str = " & "
) -> str:
    """An accuracy and its interval; at most that, where the verdict says not to trust attacks."""
    most = r"$\le$\," if verdict in UNTRUSTED else ""
    ends = ", ".join(map(percent, interval))
    return f"{most}{percent(accuracy)}{separator}{{[}}{ends}{{]}}"


def percent(fraction: float) -> str:
    """A fraction in percent, with one decimal."""
    return f"{100 * fraction:.1f}"


def _line(attack: str, accuracy: float, interval: list[float]) -> str:
    return f"{attack} & {with_interval(accuracy, interval)} \\\\"


def ball(threat: Threat) -> str:
    r"""A threat model: ``$\ell_2 \le 0.5$``."""
    return f"${NORMS[threat.norm].latex} \\le {pixels(threat.epsilon)}$"


def _caption(about: Document) -> str:
    version = f"{about.protocol.name} of robustinfo {about.robustinfo or ''}".rstrip()
    return (
        f"Clean and {accuracy_name(about)} of {escape(about.model.source)} on {about.n:,} images "
        f"of {escape(about.data.root)} in the ball {ball(about.threat)}, protocol "
        f"{escape(version)}, seed {about.seed}. Intervals: {escape(INTERVAL)}. "
        f"Verdict: {escape(about.verdict)}."
    )
