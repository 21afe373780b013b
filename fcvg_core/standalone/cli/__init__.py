"""The command line: arguments, commands, progress bars, run.json. Only this room knows argparse."""
