"""The one decorator of every kernel."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar, overload

import numpy as np
from numba import config, njit
from numba.core import event

from drift_arrow.kernels.compile_watch import WATCH

Function = TypeVar("Function", bound=Callable[..., Any])

CHECK_BOUNDS: Final = os.environ.get("DRIFT_BOUNDSCHECK") == "1"
"""Whether an index out of range raises IndexError instead of reading what lies there. For tests; slow."""

INTERPRETED: Final = bool(config.DISABLE_JIT)  # type: ignore[attr-defined]
"""Whether NUMBA_DISABLE_JIT=1 runs the kernels as plain Python."""

_REASSOCIATE: Final = {"reassoc", "contract", "nsz", "arcp"}


def _floor_digest() -> str:
    """Digest of every source file of this floor.

    Numba's cache looks at the file of the cached function only, but the machine code also holds the functions it
    calls, which may live in another file: an edit there would leave the old code in use.
    """
    digest = hashlib.blake2b(digest_size=4)
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()


event.register("numba:compile", WATCH)  # type: ignore[no-untyped-call]

_CACHE_SUFFIX: Final = f"_{_floor_digest()}{'_checked' if CHECK_BOUNDS else ''}"


@overload
def kernel(function: Function, /) -> Function: ...


@overload
def kernel(*, reassociate: bool = ..., inline: bool = ..., inner: bool = ...) -> Callable[[Function], Function]: ...


def kernel(
    function: Function | None = None, /, *, reassociate: bool = False, inline: bool = False, inner: bool = False
) -> Any:
    """Compile a function over arrays and scalars: without the GIL, cached on disk, strict in its arithmetic.

    Parameters
    ----------
    function : callable
        May raise nothing and trusts its arguments: call it through a public wrapper that checks them.
    reassociate : bool
        Lets a float reduction be summed in any order, which is what makes it a vector loop. NaN and infinity keep
        their meaning; the last bits of a sum depend on the processor.
    inline : bool
        Becomes part of the kernels that call it. For what is called once per row, where a call costs some 5 ns.
    inner : bool
        Only other kernels call it, as they call what is inlined: nothing is compiled for calls from Python, which
        would end the process, nor cached, since their machine code holds it.

    Returns
    -------
    callable
        The dispatcher. It has no explicit signature, because `float32[::1]` refuses the read-only views that Arrow
        and memory maps give. Under NUMBA_DISABLE_JIT=1 the plain function, with the silent overflow of compiled code.

    Notes
    -----
    Never `parallel=True`: numba's portable threading layer aborts the process when two threads enter it. Threads are
    the business of the engine.
    """
    options: dict[str, Any] = {
        "nogil": True,
        "boundscheck": CHECK_BOUNDS,
        "fastmath": _REASSOCIATE if reassociate else False,
        "forceinline": inline,
        # numba's run time counts references to array slices: two atomic operations per row, on a counter that all
        # threads share. Kernels allocate nothing and do without it
        "_nrt": False,
        # nobody takes the address of a kernel
        "no_cfunc_wrapper": True,
        "no_cpython_wrapper": inner or inline,
    }
    is_cached = not (inner or inline)
    return _compile(function, is_cached, options) if function else lambda wrapped: _compile(wrapped, is_cached, options)


def _compile(function: Function, is_cached: bool, options: dict[str, Any]) -> Any:  # noqa: FBT001
    if INTERPRETED:
        return np.errstate(all="ignore")(function)
    if not is_cached:
        return njit(**options)(function)
    # the qualified name is part of the name of the cache file
    function.__qualname__ += _CACHE_SUFFIX
    try:
        return njit(cache=True, **options)(function)
    except RuntimeError:
        # no folder is writable: a read-only installation without a home directory must still be able to import
        return njit(**options)(function)
