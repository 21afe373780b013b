"""Errors that a user can fix, as opposed to faults of the program."""

ISSUES = "https://github.com/ComfyUI-FCVG/ComfyUI-FCVG/issues"  # where to report a fault


class UserError(ValueError):
    """An error that the user can fix: a wrong file, option or package, or a wrong combination.

    The message is one or two sentences: what was found, what was expected, and the remedy. The
    command line prints only the message. All other errors are printed as faults of the program,
    with a traceback. If a function checks arguments from other code, it raises ValueError.
    """
