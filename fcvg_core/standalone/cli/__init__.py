"""The command line: options, commands, progress bars, run.json. Only this room knows argparse."""
