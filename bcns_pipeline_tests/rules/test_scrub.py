"""What a refusal repeats of a shopper is masked, and what a person on call needs stays."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bcns_pipeline.rules.scrub import MASK, MAX_LENGTH, scrub

SENT = {
    "record": "customer",
    "body": {
        "entity": {"externalId": "bc-h1-customer-7"},
        "firstName": "Ann",
        "lastName": "Featherstone",
        "email": "ann@example.org",
        "phone": "+1 555 010 7788",
        "isPerson": True,
        "addressBook": {"items": [{"addr1": "3 Plum Lane", "state": "NY", "zip": "10001"}]},
        "item": {"items": [{"item": {"id": "1234"}, "sku": "RE-130", "quantity": 2}]},
    },
}


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("'Ann Featherstone' already exists", f"'{MASK} {MASK}' already exists"),
        ("FEATHERSTONE, ANN is inactive", f"{MASK}, {MASK} is inactive"),
        ("write to bob@other.example please", f"write to {MASK} please"),
        ("no such street: 3 Plum Lane", f"no such street: {MASK}"),
        ("call +1 555 010 7788.", f"call {MASK}."),
        ("Invalid reference 1234 for item RE-130", "Invalid reference 1234 for item RE-130"),
        ("bc-h1-customer-7 is in use", "bc-h1-customer-7 is in use"),
        ("Annual period NY is closed", "Annual period NY is closed"),
    ],
)
def test_texts_that_were_sent_are_masked_and_references_are_not(said: str, kept: str) -> None:
    assert scrub(said, SENT) == kept


def test_a_long_text_is_cut() -> None:
    assert len(scrub("x " * 1_000, {})) == MAX_LENGTH


@given(
    st.text(alphabet=st.characters(categories=["Lu", "Ll"]), min_size=3, max_size=12),
    st.text(alphabet="ab .,'\"<>()[]:", max_size=20),
    st.text(alphabet="ab .,'\"<>()[]:", max_size=20),
)
def test_no_name_stands_alone_in_what_is_left(name: str, before: str, after: str) -> None:
    left = scrub(f"{before} {name} {after}", {"body": {"lastName": name}})
    assert name not in left.replace(MASK, " ").split()
