"""Errors that the user can mend. A stage prints them as one line; any other error is a bug."""


class UserError(ValueError):
    """Says what, where, why, and the next step."""
