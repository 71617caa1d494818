"""Measure EActors against what a Python user would pick instead; see README.md."""

from command import main

if __name__ == "__main__":
    main()
