"""The one exception that means: the user can mend this."""


class UserError(Exception):
    """A wrong setting, a missing file, bad data: shown as one line, never as a traceback."""
