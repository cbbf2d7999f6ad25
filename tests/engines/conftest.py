"""Makes what replay tests share importable: `scene`, the small language beside them; feed, quoter and peer of the benchmarks."""

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1] / "benchmarks")]
