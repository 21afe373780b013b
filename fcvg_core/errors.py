"""What went wrong: a mistake that a user can mend, or a fault of the program."""

ISSUES = "https://github.com/ComfyUI-FCVG/ComfyUI-FCVG/issues"  # where to report a fault


class UserError(ValueError):
    """Something of the user's is wrong: a file, an option, a package, two that do not go together.

    The message is one or two sentences: what was found, what was expected, the remedy. The command
    line shows the message alone; every other error is shown as a fault of the program, with its
    traceback. A function that checks what another function hands it raises ValueError.
    """
