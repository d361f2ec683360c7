"""An S3 server for tests: moto, one request at a time, since its conditional put looks before it writes."""

from __future__ import annotations

import io
import logging
import sys
import threading
from collections.abc import Callable, Iterable
from typing import Any

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server

_Application = Callable[[dict[str, Any], Any], Iterable[bytes]]


def one_at_a_time(application: _Application) -> _Application:
    """Requests that have arrived as a whole: a client that was stopped in the middle of one must not block others."""
    turn = threading.Lock()

    def answer(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        length = int(environ.get("CONTENT_LENGTH") or 0)
        environ["wsgi.input"] = io.BytesIO(environ["wsgi.input"].read(length))
        with turn:
            return list(application(environ, start_response))

    return answer


logging.getLogger("werkzeug").setLevel(logging.ERROR)
moto = one_at_a_time(DomainDispatcherApplication(create_backend_app))
server = make_server("127.0.0.1", 0, moto, threaded=True)
sys.stdout.write(f"{server.server_port}\n")
sys.stdout.flush()
server.serve_forever()
