"""`bcns webhooks`: everything that can be wrong is said before anything listens.

Put the checks before the start here. Do not put serving here (`webhooks/serve.py`).
"""

from __future__ import annotations

import signal
import socket
import sys

from bcns_pipeline.cli.connect import opened_engine, pinned_accounts
from bcns_pipeline.cli.console import say
from bcns_pipeline.rules.faults import BadInput
from bcns_pipeline.settings import load_settings
from bcns_pipeline.webhooks.app import BIGCOMMERCE, HEALTH, NETSUITE
from bcns_pipeline.webhooks.options import Options, read_options
from bcns_pipeline.webhooks.serve import run


def serve_webhooks(host: str, port: int, workers: int, *, access_log: bool) -> None:
    """Until SIGTERM or SIGINT. Raises BadInput."""
    settings = load_settings()
    options = read_options(settings)
    _must_be_free(host, port)
    with opened_engine(settings) as engine:
        pinned = pinned_accounts(engine)
    if pinned is not None and pinned[0] != options.store:
        raise BadInput(
            [
                f"This database belongs to the BigCommerce store {pinned[0]}, but "
                f"BCNS_BIGCOMMERCE_STORE_HASH is {options.store}; set it back, or name the other store's "
                "database (BCNS_DATABASE_URL)."
            ]
        )
    _announce(options, f"http://{f'[{host}]' if ':' in host else host}:{port}")
    # uvicorn answers what is under way and then raises the signal anew, which would end us as if killed.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    run(host, port, workers, access_log=access_log)


def _announce(options: Options, address: str) -> None:
    proofs = options.proofs
    say(f"Receiving for the store {options.store} on {address}")
    say(
        f"  POST {BIGCOMMERCE}: secret header {proofs.header}, signature {proofs.signature}, "
        f"X-BC-Signature {proofs.legacy}"
    )
    if options.netsuite_token is not None:
        say(f"  POST {NETSUITE}: bearer token required")
    say(f"  GET {HEALTH}: database, backlog, counters; keep it off the internet")
    for note in options.notes:
        say(f"  {note}")


def _must_be_free(host: str, port: int) -> None:
    try:
        family, kind, protocol, _, place = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(place)
    except OSError as error:
        raise BadInput(
            [f"{host} port {port} can't be had ({error.strerror}); name another with --host and --port."]
        ) from None
