"""One command per file. They import Arrow, NumPy and the engine only when they run."""
