"""The demo: a collection of real vectors, filled, searched, reopened, measured, and asked from every surface."""
