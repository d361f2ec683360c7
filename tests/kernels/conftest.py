from __future__ import annotations

from hypothesis import settings

# the first call of a kernel compiles it, which takes longer than any sensible deadline
settings.register_profile("compiling", deadline=None)
settings.load_profile("compiling")
