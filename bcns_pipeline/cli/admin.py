"""Commands of whoever runs the installation: migrate, keygen, config check, audit verify.

Put what each says and how it ends here. Do not put the work here: migrations, keys, mapping and chain have
their own rooms. Bad input is raised as BadInput and becomes exit code 2 in one place (`main.py`).
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal, cast

import sqlalchemy as sa

from bcns_pipeline.cli.connect import remembered
from bcns_pipeline.cli.console import complain, say
from bcns_pipeline.cli.variables import unread_variables
from bcns_pipeline.clients.netsuite.keygen import MAX_DAYS, make_key_and_certificate
from bcns_pipeline.config import load_mapping
from bcns_pipeline.rules.faults import BadInput
from bcns_pipeline.settings import load_settings
from bcns_pipeline.state.audit_verify import Broken
from bcns_pipeline.state.engine import check_connection, create_engine, database_url
from bcns_pipeline.state.migrate import newest_revision, upgrade

KEY_NAME = "netsuite.key"
CERTIFICATE_NAME = "netsuite.crt"


def migrate_database() -> None:
    """Bring the database to this version's revision; harmless when it is there. Raises BadInput."""
    settings = load_settings()
    if settings.faults:
        raise BadInput(settings.faults)
    engine = create_engine(database_url(settings), application_name="bcns migrate")
    try:
        if settings.database_url is not None:
            check_connection(engine)
        changed = _upgrade(engine)
        where = "the embedded database" if settings.database_url is None else engine.url.render_as_string()
    finally:
        engine.dispose()
    say(f"{where} {'was migrated to' if changed else 'is already at'} revision {newest_revision()}.")


def _upgrade(engine: sa.Engine) -> bool:
    try:
        return upgrade(engine)
    except sa.exc.ProgrammingError as error:
        said = " ".join(str(error.orig).split())
        if "permission denied" not in said.lower():
            raise
        raise BadInput(
            [
                f"The user of {engine.url.render_as_string()} may not create tables ({said}); migrate as "
                "the owner of "
                "the database, or grant CREATE on it."
            ]
        ) from None


def make_keys(kind: str, folder: Path, days: int, name: str = "bcns-pipeline") -> None:
    """Write key (mode 0600) and certificate, and say what to do with them. Never overwrites."""
    faults = []
    if kind not in {"rsa", "ec"}:
        faults.append(
            f"--kind {kind} is not possible; write rsa (signs with PS256) or ec (signs with ES256)."
        )
    if not 0 < days <= MAX_DAYS:
        faults.append(f"--days {days} is not possible; NetSuite takes certificates of 1 to {MAX_DAYS} days.")
    if not 0 < len(name) <= 64:
        faults.append("--name must have 1 to 64 letters.")
    key_path, certificate_path = folder / KEY_NAME, folder / CERTIFICATE_NAME
    faults += [
        f"{path} exists and is not overwritten, because NetSuite may trust it; name another folder with "
        "--out."
        for path in (key_path, certificate_path)
        if path.exists()
    ]
    if faults:
        raise BadInput(faults)
    key, certificate, expires = make_key_and_certificate(cast(Literal["rsa", "ec"], kind), name, days)
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _write_new(key_path, key, 0o600)
        _write_new(certificate_path, certificate, 0o644)
    except OSError as error:
        raise BadInput(
            [f"{folder} can't be written ({error.strerror}); name another folder with --out."]
        ) from None
    day = expires.strftime("%Y-%m-%d")
    say(f"Private key: {key_path.absolute()}  (stays here; readable by you alone)")
    say(f"Certificate: {certificate_path.absolute()}  (for NetSuite; expires {day})")
    say()
    for line in UPLOAD_STEPS.format(certificate=certificate_path.absolute(), day=day).splitlines():
        say(line)
    say()
    say(f"BCNS_NETSUITE_PRIVATE_KEY_PATH={key_path.absolute()}")
    say("BCNS_NETSUITE_CERTIFICATE_ID=<the Certificate ID that NetSuite shows>")
    say("BCNS_NETSUITE_CLIENT_ID=<the Client ID of the integration record>")
    say()
    say("Then run `bcns doctor`.")


# facts/netsuite.md 1: the id shown after the upload is the `kid`; a sandbox refresh clears the mapping.
UPLOAD_STEPS = """In NetSuite, as an administrator:
  1. Setup > Company > Enable Features > SuiteCloud: tick REST Web Services and OAuth 2.0.
  2. Setup > Integration > Manage Integrations > New: tick Client Credentials (Machine to Machine) Grant
     and the scope REST Web Services; save, and note the Client ID, which is shown once.
  3. Give the integration's role what `bcns doctor --scopes` lists.
  4. Setup > Integration > Manage Authentication > OAuth 2.0 Client Credentials (M2M) Setup > Create New:
     choose entity, role and application, and upload {certificate}.
  5. Note the Certificate ID in that list.
The certificate expires on {day}: make the next one in good time. NetSuite mails at 60, 30 and 14 days.
A refresh of a NetSuite sandbox clears the mapping: repeat step 4, which gives a new Certificate ID."""


def _write_new(path: Path, text: str, mode: int) -> None:
    # Made with its final mode and never opened where it exists: at no moment could others read the key.
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(text)


def check_config(path: Path | None) -> None:
    """Say that the mapping file is sound, and what it amounts to. Raises BadInput with all its faults.

    Variables that nobody reads are told of and fail nothing.
    """
    for unread in unread_variables():
        complain(f"Warning: {unread}")
    faults = []
    if path is None:
        settings = load_settings()
        faults = list(settings.faults)
        path = settings.config
    try:
        mapping = load_mapping(path)
    except BadInput as bad:
        raise BadInput([*faults, *bad.faults]) from None
    faults += mapping.alerts.faults()
    if faults:
        raise BadInput(faults)
    inventory = mapping.inventory
    routes = inventory.locations or ()
    where = "; ".join(
        f"NetSuite {', '.join(map(str, r.netsuite))} to BigCommerce {r.bigcommerce}" for r in routes
    )
    buffer = inventory.safety_stock
    say(f"{path} is sound (digest {mapping.digest[:12]}).")
    say(f"  stock sold:   {inventory.expression or inventory.quantity}; kits {inventory.kits.mode}")
    say(f"  locations:    {where or 'the only one on each side'}")
    say(
        f"  safety stock: {f'{buffer.value} units' if buffer.value else 'none of ours'} (owner: "
        f"{buffer.owner})"
    )
    say(f"  schedule:     {inventory.schedule} in {mapping.store.timezone or 'UTC'}")
    orders = mapping.order_faults()
    for what, missing in (
        ("orders:      ", orders),
        ("captures:    ", [one for one in mapping.cash_faults() if one not in orders]),
        ("payouts:     ", mapping.payout_faults()),
    ):
        say(f"  {what} {'as the file says' if not missing else f'not before this is mended: {missing[0]}'}")
        for one in missing[1:]:
            say(f"  {'':13} {one}")


def verify_audit(head: str | None) -> int:
    """Recompute the chain: 0 where it holds, 1 and the first broken row where it does not."""
    with remembered(load_settings()) as state:
        try:
            found = state.verify_audit(head)
        except ValueError as error:
            raise BadInput([f"--head: {error}."]) from None
    if isinstance(found, Broken):
        say(f"The audit chain is broken at row {found.seq}: {found.why}.")
        return 1
    say(
        f"The audit chain holds: {found.rows:,} rows, {found.proofs:,} digests recomputed, head {found.head}."
    )
    if found.dropped:
        say(
            f"For {found.dropped:,} rows the lines are no longer kept (13 months); their digests stand in "
            "the chain."
        )
    return 0
