"""`python -m speakerid`, and the command `speakerid`."""

import signal
import sys


def main() -> int:
    """Run one command; returns the exit status. Ctrl-C counts while modules are being imported, too."""
    try:
        # A shell that starts us in the background has Ctrl-C's signal ignored; whoever sends it means it.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        from speakerid.cli import main as run

        return run()
    except KeyboardInterrupt:
        print("speakerid: Stopped.", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
