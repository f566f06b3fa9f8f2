"""Raw documents: stored when they changed, found by key, opened in batches; and numbers that stay exact."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from bcns_pipeline.state.audit_verify import Verified
from bcns_pipeline.state.crypto import Erased
from bcns_pipeline.state.documents import NewDocument
from bcns_pipeline.state.scope import canonical, parse
from bcns_pipeline.state.store import State


@pytest.fixture
def state(engine: sa.Engine) -> State:
    return State(engine, "h1", run_id="run-1", data_key=b"k" * 32)


def order(number: int, total: str = "19.99", subject: str = "s") -> NewDocument:
    body = json.dumps({"id": number, "total": total}).encode()
    return NewDocument("bigcommerce", "order", f"order:{number}", body, subject=subject)


def test_only_what_changed_is_stored_and_the_rest_is_named(state: State) -> None:
    first = state.documents.store_changed([order(1), order(2)])
    assert [one.fresh for one in first] == [True, True]
    again = state.documents.store_changed([order(2), order(1, "18.00"), order(3)])
    assert [one.fresh for one in again] == [False, True, True]
    assert again[0].document_id == first[1].document_id
    assert again[0].fingerprint == first[1].fingerprint
    # Back to what it was is a change too: the newest version is what counts.
    assert state.documents.store_changed([order(1)])[0].fresh
    latest = state.documents.latest("order", ["order:1", "order:2", "order:9"])
    assert sorted(latest) == ["order:1", "order:2"]
    assert latest["order:1"].id > again[1].document_id
    assert isinstance(state.verify_audit(), Verified)


def test_nothing_is_stored_and_no_audit_row_written_where_nothing_changed(state: State) -> None:
    state.documents.store_changed([order(1)])
    head = state.head_hash()
    state.documents.store_changed([order(1)])
    assert state.head_hash() == head
    assert state.documents.store_changed([]) == []


def test_a_fingerprint_is_keyed_by_the_shopper(state: State) -> None:
    one, two = state.documents.store_changed([order(1, subject="a"), order(1, subject="b")])
    assert one.fingerprint != two.fingerprint


def test_a_new_subject_is_a_new_version(state: State) -> None:
    state.documents.store_changed([order(1, subject="a")])
    assert state.documents.store_changed([order(1, subject="b")])[0].fresh


def test_many_bodies_are_opened_at_once_and_those_of_the_erased_are_none(state: State) -> None:
    kept = state.documents.store_changed([order(n, subject=f"s{n % 3}") for n in range(9)])
    state.vault.erase("s1", "asked", actor="ann")
    bodies = state.documents.load_many([one.document_id for one in kept] + [999])
    opened = [bodies[one.document_id] for one in kept]
    assert [None if body is None else json.loads(body)["id"] for body in opened] == [
        *(0, None, 2, 3, None, 5, 6, None, 8),
    ]
    assert 999 not in bodies
    with pytest.raises(Erased):
        state.documents.load(kept[1].document_id)
    with pytest.raises(LookupError):
        state.documents.load(999)


def test_many_contents_are_sealed_and_opened_at_once(state: State) -> None:
    total = Decimal("116.730")
    sealed = state.vault.seal_many([({"total": total}, "a"), ({"n": 1}, None), ({"n": 2}, "b")])
    assert sealed[1] == {"n": 1}
    # With its point, which no hexadecimal digit is.
    assert "116.73" not in canonical(sealed[0])
    opened = state.vault.open_many(sealed)
    assert opened == [{"total": total}, {"n": 1}, {"n": 2}]
    assert opened[0] is not None
    assert str(opened[0]["total"]) == "116.730"
    state.vault.erase("b", "asked", actor="ann")
    assert state.vault.open_many(sealed)[2] is None
    with pytest.raises(Erased):
        state.vault.open(sealed[2])


def test_shoppers_met_by_two_processes_at_once_have_one_key_each(state: State, engine: sa.Engine) -> None:
    other = State(engine, "h1", data_key=b"k" * 32)
    keys = state.vault.keys_for(["a", "b"])
    assert other.vault.keys_for(["b", "c", "a"]).items() >= keys.items()
    assert state.vault.keys_for([]) == {}
    assert "key=" not in repr(keys["a"])


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text()
    | st.decimals(allow_nan=False, allow_infinity=False, places=4),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(JSON)
def test_canonical_json_comes_back_equal_and_is_the_same_text_again(value: object) -> None:
    text = canonical(value)
    assert parse(text) == value
    assert canonical(parse(text)) == text


def test_canonical_json_sorts_keys_with_and_without_decimals() -> None:
    assert canonical({"b": [1, {"d": 1, "c": None}], "a": "x"}) == '{"a":"x","b":[1,{"c":null,"d":1}]}'
    assert canonical({"b": Decimal("1.50"), "a": [True, "é"]}) == '{"a":[true,"é"],"b":1.50}'


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity"])
def test_what_is_no_number_is_refused(value: str) -> None:
    with pytest.raises(ValueError, match="no number"):
        canonical({"total": Decimal(value)})
