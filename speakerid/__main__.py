"""`python -m speakerid`."""

import sys

from speakerid.cli import main

if __name__ == "__main__":
    sys.exit(main())
