"""What the program does: a module for each command, with a function `run`."""
