"""Errors that the user can correct. A stage prints them as one line; any other error is a bug."""


class UserError(ValueError):
    """The message says what, where, why, and the next step."""


def one_line(text: object) -> str:
    """The text in one line that is safe to print: blanks joined, unprintable characters escaped."""
    joined = " ".join(str(text).split())
    return "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in joined)
