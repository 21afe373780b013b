"""`python -m fcvg_core`: the command line.

`python path/to/fcvg_core` does the same: the embedded Python of ComfyUI's portable edition finds
no module in the current folder.
"""

import sys
from pathlib import Path

if not __package__:
    sys.path[0] = str(Path(__file__).resolve().parents[1])  # it was this folder, which has rooms

from fcvg_core.standalone.cli.main import main  # noqa: E402 (needs the line before)

if __name__ == "__main__":
    sys.exit(main())
