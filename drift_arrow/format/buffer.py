"""The one way to look at the bytes of a buffer."""

from __future__ import annotations

import numpy as np

from drift_arrow.format.layout import Buffer


def byte_view(data: Buffer) -> memoryview:
    """Look at `data` as unsigned bytes without a copy; the view keeps `data` alive.

    Parameters
    ----------
    data : buffer
        C-contiguous, of any item type and shape.

    Returns
    -------
    memoryview
        One-dimensional, format ``B``, as long as the bytes of `data`.
    """
    view = data.data if isinstance(data, np.ndarray) else memoryview(data)
    # `cast` refuses shapes with a zero in them
    return view.cast("B") if view.nbytes else memoryview(b"")
