"""Personal data at rest: sealed per shopper, gone when erased, and nowhere in a dump of the database."""

from __future__ import annotations

import base64
import json
import re
import subprocess
import zlib
from pathlib import Path

import pytest
import sqlalchemy as sa

from bcns_pipeline.rules.faults import BadInput
from bcns_pipeline.state.audit_verify import Verified
from bcns_pipeline.state.crypto import Erased, Unreadable, decrypt, encrypt, resolve_data_key
from bcns_pipeline.state.documents import NewDocument
from bcns_pipeline.state.embedded import installed_programs
from bcns_pipeline.state.exceptions import Question
from bcns_pipeline.state.operations import Intent
from bcns_pipeline.state.store import State

KEY = bytes(range(32))
SHOPPERS = [
    {
        "first_name": f"Wilhelmina{n}",
        "last_name": f"Featherstonehaugh{n}",
        "email": f"wilhelmina.f{n}@example.org",
        "phone": f"+1 555 010 77{n:02d}",
        "street_1": f"{n} Zwetschgenallee",
        "token": f"tok_secret_{n:04d}_{'f00d' * 4}",
    }
    for n in range(20)
]


@pytest.fixture
def state(engine: sa.Engine) -> State:
    return State(engine, "h1", run_id="run-1", data_key=KEY)


def order(shopper: dict[str, str], number: int) -> bytes:
    return json.dumps({"id": number, "billing_address": shopper, "total": "19.99"}).encode()


def live_through_orders(state: State) -> None:
    for number, shopper in enumerate(SHOPPERS):
        subject = state.vault.subject(shopper["email"])
        state.documents.store(
            [NewDocument("bigcommerce", "order", f"{number}", order(shopper, number), subject=subject)]
        )
        intent = Intent("sales_order", f"bc-h1-order-{number}", {"shipTo": shopper}, subject=subject)
        state.outbox.stage("orders", [intent])
        state.exceptions.open(
            "orders", Question("ORDER_HELD", f"order:{number}", "The total differs by 0.01.")
        )
    with state.worker() as worker:
        for op in state.outbox.claim(worker, "orders", ["sales_order"], 50):
            assert state.outbox.payload(op)["shipTo"] in SHOPPERS
            state.outbox.confirm(op, answer={"id": str(op.id)})


def test_a_dump_of_the_database_shows_nothing_personal_and_no_secret(state: State, database_url: str) -> None:
    live_through_orders(state)
    dump = pg_dump(database_url)
    assert b"bc-h1-order-7" in dump
    plain = [dump, *opened_binaries(dump)]
    assert len(plain) > 60
    wanted = [value for shopper in SHOPPERS for value in shopper.values()]
    wanted += [base64.b64encode(KEY).decode(), KEY.hex(), KEY[1:].decode("latin-1")]
    for value in wanted:
        needles = {value.encode(), value.encode("utf-16-le"), base64.b64encode(value.encode())[:-4]}
        found = [needle for needle in needles for text in plain if needle.lower() in text.lower()]
        assert found == []


def test_the_search_of_the_dump_finds_what_is_not_encrypted(state: State, database_url: str) -> None:
    state.documents.store([NewDocument("bigcommerce", "order", "1", order(SHOPPERS[0], 1))])
    dump = pg_dump(database_url)
    assert any(SHOPPERS[0]["email"].encode() in text for text in opened_binaries(dump))


def test_what_was_sealed_can_be_read_until_the_shopper_is_erased(state: State) -> None:
    live_through_orders(state)
    head = state.head_hash()
    gone, kept = (state.vault.subject(SHOPPERS[n]["email"]) for n in (3, 4))
    first, second = (next(iter(state.documents.find(kind="order", natural_key=n))).id for n in "34")
    assert json.loads(state.documents.load(first))["billing_address"] == SHOPPERS[3]
    assert state.vault.erase(gone, "asked by letter", actor="ann")
    assert not state.vault.erase(gone, "again", actor="ann")
    with pytest.raises(Erased):
        state.documents.load(first)
    (op,) = state.outbox.find(natural_key="bc-h1-order-3", states=("confirmed",))
    with pytest.raises(Erased):
        state.outbox.payload(op)
    assert json.loads(state.documents.load(second))["billing_address"] == SHOPPERS[4]
    assert state.vault.key_for(kept).id
    assert isinstance(state.verify_audit(head), Verified)


def test_a_shopper_who_comes_back_after_erasure_gets_a_new_key(state: State) -> None:
    subject = state.vault.subject("a@example.org")
    before = state.vault.key_for(subject)
    assert state.vault.key_for(subject) == before
    state.vault.erase(subject, "asked", actor="ann")
    assert state.vault.key_for(subject).key != before.key


def test_the_hash_of_an_e_mail_is_keyed_and_does_not_care_for_case(state: State, engine: sa.Engine) -> None:
    other = State(engine, "h1", data_key=b"x" * 32)
    assert state.vault.subject(" A@Example.org ") == state.vault.subject("a@example.org")
    assert state.vault.subject("a@example.org") != other.vault.subject("a@example.org")


def test_a_wrong_data_key_is_noticed(state: State, engine: sa.Engine) -> None:
    state.documents.store([NewDocument("bigcommerce", "order", "1", b"{}", subject="s")])
    other = State(engine, "h1", data_key=b"x" * 32)
    with pytest.raises(Unreadable):
        other.documents.load(1)


def test_without_a_data_key_personal_data_is_refused(engine: sa.Engine) -> None:
    with pytest.raises(BadInput, match="BCNS_DATA_KEY"):
        State(engine, "h1").vault.subject("a@example.org")


def test_ciphertext_cannot_be_moved_to_another_record(state: State) -> None:
    hidden = encrypt(KEY, b"body", "one")
    assert decrypt(KEY, hidden, "one") == b"body"
    for key, content, name in (
        (KEY, hidden, "two"),
        (KEY, hidden[:-1] + bytes([hidden[-1] ^ 1]), "one"),
        (KEY[::-1], hidden, "one"),
    ):
        with pytest.raises(Unreadable):
            decrypt(key, content, name)


def test_the_data_key_is_generated_once_beside_the_embedded_server(tmp_path: Path) -> None:
    key = resolve_data_key(None, tmp_path / "home", embedded=True)
    assert resolve_data_key(None, tmp_path / "home", embedded=True) == key
    assert [path.name for path in (tmp_path / "home").iterdir()] == ["data.key"]
    assert (tmp_path / "home" / "data.key").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("configured", ["short", "ä", base64.b64encode(b"x" * 31).decode(), None])
def test_a_missing_or_malformed_data_key_is_one_sentence(tmp_path: Path, configured: str | None) -> None:
    with pytest.raises(BadInput) as raised:
        resolve_data_key(configured, tmp_path, embedded=False)
    assert len(raised.value.faults) == 1
    assert "BCNS_DATA_KEY" in raised.value.faults[0]


def test_a_configured_data_key_is_taken_as_it_is(tmp_path: Path) -> None:
    assert resolve_data_key(base64.b64encode(KEY).decode(), tmp_path, embedded=False) == KEY
    assert list(tmp_path.iterdir()) == []


def pg_dump(database_url: str) -> bytes:
    """The whole database as pg_dump writes it, by the programs that come with the embedded server."""
    url = sa.make_url(database_url)
    program = installed_programs() / "pg_dump"
    command = [
        str(program),
        "--dbname",
        url.set(drivername="postgresql").render_as_string(hide_password=False),
    ]
    return subprocess.run(command, check=True, capture_output=True).stdout


def opened_binaries(dump: bytes) -> list[bytes]:
    """Every binary value of the dump, and what it is when it can be unpacked."""
    values = [bytes.fromhex(found.decode()) for found in re.findall(rb"\\\\x((?:[0-9a-f]{2})+)", dump)]
    values += [base64.b64decode(found) for found in re.findall(rb'"bcns_sealed": "([^"]+)"', dump)]
    unpacked = []
    for value in values:
        try:
            unpacked.append(zlib.decompress(value))
        except zlib.error:
            continue
    return [*values, *unpacked]
