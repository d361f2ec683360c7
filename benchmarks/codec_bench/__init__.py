"""The codecs of columns against those of others; `benchmarks/codec.py` runs it."""
