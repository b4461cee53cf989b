"""The benchmark suite, started with `python -m bench`. It measures; it never passes or fails."""
