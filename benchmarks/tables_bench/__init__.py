"""Whole tables as files of drift, Parquet and Vortex; `benchmarks/tables.py` runs it."""
