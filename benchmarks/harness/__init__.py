"""What the benchmarks share: one core, calls in turn, aligned tables, bars."""
