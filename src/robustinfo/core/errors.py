"""Errors that the user can correct. A stage prints them as one line; any other error is a bug."""


class UserError(ValueError):
    """The message says what, where, why, and the next step.

    >>> import torch, robustinfo
    >>> x = torch.rand(8, 1, 4, 4)
    >>> robustinfo.judge(torch.nn.Flatten(), x, torch.zeros(8, dtype=torch.int64), epsilon=8)
    Traceback (most recent call last):
    robustinfo.core.errors.UserError: ... did you mean 8/255?
    """


TO_COPY = "\n    "  # begins each line of a message that the user can copy


def message_lines(text: str) -> str:
    """A message in one line that is safe to print, and below it the lines to copy, if any."""
    return TO_COPY.join(map(one_line, text.split(TO_COPY)))


def one_line(text: object) -> str:
    """The text in one line that is safe to print: blanks joined, unprintable characters escaped."""
    joined = " ".join(str(text).split())
    return "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in joined)
