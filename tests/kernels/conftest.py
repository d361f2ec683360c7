from __future__ import annotations

from hypothesis import settings

from drift_arrow.kernels._jit import INTERPRETED

# the first call of a kernel compiles it, which takes longer than any sensible deadline; plain Python is slow throughout
settings.register_profile("compiling", deadline=None, max_examples=10 if INTERPRETED else 100)
settings.load_profile("compiling")
