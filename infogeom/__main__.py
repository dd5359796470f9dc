"""``python -m infogeom``, the same as the command ``infogeom``."""

import sys

from infogeom.cli import main

if __name__ == "__main__":
    sys.exit(main())
