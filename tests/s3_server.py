"""An S3 server for tests: moto, one request at a time, since its conditional put looks before it writes."""

from __future__ import annotations

import logging
import sys

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server

logging.getLogger("werkzeug").setLevel(logging.ERROR)
server = make_server("127.0.0.1", 0, DomainDispatcherApplication(create_backend_app), threaded=False)
sys.stdout.write(f"{server.server_port}\n")
sys.stdout.flush()
server.serve_forever()
