"""Makes what these tests share importable: `naive_ladder`, the obvious twin beside them."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
