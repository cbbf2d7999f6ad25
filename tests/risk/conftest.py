"""Makes what risk tests share importable: `desk`, a gate with its caller and a naive judge."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
