"""``python -m gomem`` is the command ``gomem``."""

import sys

from gomem.cli import main

sys.exit(main())
