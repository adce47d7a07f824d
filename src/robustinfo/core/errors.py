"""Errors that the user can correct. A stage prints them as one line; any other error is a bug."""


class UserError(ValueError):
    """The message says what, where, why, and the next step."""
