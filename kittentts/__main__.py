"""`python -m kittentts`."""

import sys

from kittentts.cli import main

sys.exit(main())
