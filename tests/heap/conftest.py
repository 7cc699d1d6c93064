"""Heap tests read profiles with the same few functions as the programs of tests/isolated."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "isolated"))
