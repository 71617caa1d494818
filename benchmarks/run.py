"""Measure EActors against what a Python user would pick instead; see README.md."""

from __future__ import annotations

import sys
from pathlib import Path

# As a script, this file's folder comes first; what is imported is the folder as a package.
sys.path[0] = str(Path(__file__).resolve().parents[1])

from benchmarks.command import main  # noqa: E402 - only now can it be found

if __name__ == "__main__":
    main()
