"""`python -m kittentts`, and the script `kittentts`."""

import signal
import sys


def main() -> int:
    """Run the command; while its modules are imported Ctrl-C ends the program without a traceback."""
    if signal.getsignal(signal.SIGINT) == signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from kittentts import cli

    return cli.main()


if __name__ == "__main__":
    sys.exit(main())
