"""The search against those of others; `benchmarks/search.py` runs it."""
