"""What the receiver needs of the environment, checked at once, before anything listens.

Put faults and their remedies here. Do not put here how a proof is checked (`proofs.py`). The receiver needs
neither an access token nor the key of personal data where its own secret is set: it stands nearest to the
internet of all that we run.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from bcns_pipeline.rules.faults import BadInput
from bcns_pipeline.settings import Settings
from bcns_pipeline.state.hook_header import hook_header
from bcns_pipeline.webhooks.proofs import Demand, Proofs, bearer


@dataclass(frozen=True, slots=True)
class Options:
    """`netsuite_token` is the whole `Authorization` value that NetSuite's script sends; None = no such door.

    `address_header` (lower-case) holds the caller's address, written by our own proxy; None = the peer's.
    `notes` are sentences for whoever starts the receiver.
    """

    store: str
    proofs: Proofs
    netsuite_token: bytes | None = field(default=None, repr=False)
    address_header: str | None = None
    notes: tuple[str, ...] = ()


def read_options(settings: Settings) -> Options:
    """Raises BadInput with everything that is missing or at odds. May read the embedded data key's file."""
    faults: list[str] = []
    notes: list[str] = []
    store = ""
    try:
        store = settings.require_store()
    except BadInput as bad:
        faults += bad.faults
    signature, legacy = Demand(settings.webhook_signature), Demand(settings.webhook_legacy_signature)
    header = Demand(settings.webhook_header)
    secret = settings.bigcommerce_client_secret
    if secret is None:
        for name, demand in (("WEBHOOK_SIGNATURE", signature), ("WEBHOOK_LEGACY_SIGNATURE", legacy)):
            if demand is Demand.REQUIRED:
                faults.append(
                    f"BCNS_{name} is required, but BCNS_BIGCOMMERCE_CLIENT_SECRET is missing; set it to the "
                    "client secret of the API account that made the hooks."
                )
        signature = legacy = Demand.OFF
        notes.append(
            "Signatures are not checked: BCNS_BIGCOMMERCE_CLIENT_SECRET is not set. Our secret header is."
        )
    if {header, signature, legacy} == {Demand.OFF}:
        faults.append(
            "Nothing proves who calls: set BCNS_WEBHOOK_HEADER or BCNS_WEBHOOK_SIGNATURE to required or "
            "optional, and BCNS_BIGCOMMERCE_CLIENT_SECRET for the latter."
        )
    if faults:
        raise BadInput(faults)
    token = settings.netsuite_event_token
    if token is None:
        notes.append("POST /events/netsuite is off: BCNS_NETSUITE_EVENT_TOKEN is not set.")
    name, value = hook_header(settings) if header is not Demand.OFF else ("", "")
    proofs = Proofs(
        signature=signature,
        header=header,
        legacy=legacy,
        client_secret=secret.get_secret_value().encode() if secret else b"",
        header_name=name.lower(),
        header_value=value.encode(),
    )
    address = settings.webhook_address_header
    return Options(
        store=store,
        proofs=proofs,
        netsuite_token=bearer(token.get_secret_value()) if token else None,
        address_header=address.lower() if address else None,
        notes=tuple(notes),
    )
