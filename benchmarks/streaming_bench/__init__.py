"""Recall and speed while rows come and go; `benchmarks/streaming.py` runs it."""
