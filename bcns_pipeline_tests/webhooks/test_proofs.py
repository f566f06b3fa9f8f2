from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bcns_pipeline.webhooks.proofs import Demand, Proofs
from bcns_pipeline_tests.webhooks.signing import (
    CLIENT_SECRET,
    HEADER_SECRET,
    legacy,
    payload,
    secret_header,
    signed,
)

NOW = 1_700_000_000.0
BODY = payload()
# facts/bigcommerce.md 6.3, computed with the Standard Webhooks library.
VECTOR_BODY = (
    b'{"producer":"stores/abcde","hash":"3f9ea420af83450d7ef9f78b08c8af25b2213637","created_at":1700000000,'
    b'"store_id":"11111","scope":"store/order/created","data":{"type":"order","id":173331}}'
)
VECTOR_HEADERS = {
    "webhook-id": "msg_2KWPBgLlAfxdpx2AI54pPJ85f4W",
    "webhook-timestamp": "1700000000",
    "webhook-signature": "v1,N5d4vL69kNr5KKoNIE/Tg239bTKgYg+AIAy/2jtGPIU=",
}
OPT, REQ, OFF = Demand.OPTIONAL, Demand.REQUIRED, Demand.OFF


def proofs(signature: Demand = OPT, header: Demand = OPT, legacy: Demand = OPT) -> Proofs:
    return Proofs(
        signature=signature,
        header=header,
        legacy=legacy,
        client_secret=CLIENT_SECRET.encode(),
        header_value=f"Bearer {HEADER_SECRET}".encode(),
    )


def reason(headers: dict[str, str], body: bytes = BODY, now: float = NOW, **demands: Demand) -> str:
    """Why the call is refused; empty where it is genuine."""
    verdict = proofs(**demands).check(headers, body, now)
    assert verdict.genuine == (not verdict.reason)
    return verdict.reason


def test_the_vector_of_the_standard_webhooks_library_is_genuine() -> None:
    assert reason(VECTOR_HEADERS, VECTOR_BODY, signature=REQ) == ""


def test_one_right_signature_among_several_is_enough() -> None:
    right = signed(BODY, at=NOW)
    other = signed(BODY, at=NOW, secret="the secret before the last one")["webhook-signature"]
    assert reason({**right, "webhook-signature": f"{other} v1a,abc {right['webhook-signature']}"}) == ""


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (
            {"webhook-signature": signed(BODY, at=NOW, secret="another")["webhook-signature"]},
            "signature_wrong",
        ),
        ({"webhook-signature": ""}, "signature_wrong"),
        ({"webhook-signature": "v1,"}, "signature_wrong"),
        (
            {"webhook-signature": signed(BODY, at=NOW)["webhook-signature"].replace("v1,", "v2,")},
            "signature_wrong",
        ),
        ({"webhook-signature": "v1,\u00e9"}, "signature_wrong"),
        ({"webhook-id": "msg_2"}, "signature_wrong"),
        ({"webhook-timestamp": str(int(NOW) + 1)}, "signature_wrong"),
        ({"webhook-timestamp": "1e9"}, "signature_wrong"),
    ],
)
def test_a_signature_that_belongs_to_anything_else_is_refused(change: dict[str, str], expected: str) -> None:
    assert reason({**signed(BODY, at=NOW), **change}) == expected


@pytest.mark.parametrize("missing", ["webhook-id", "webhook-timestamp", "webhook-signature"])
def test_half_a_signature_is_a_wrong_one_even_beside_a_right_header(missing: str) -> None:
    headers = {**signed(BODY, at=NOW), **secret_header()}
    del headers[missing]
    assert reason(headers) == "signature_wrong"


@pytest.mark.parametrize(("seconds", "expected"), [(300, ""), (-300, ""), (301, "stale"), (-301, "stale")])
def test_a_timestamp_counts_for_five_minutes_both_ways(seconds: int, expected: str) -> None:
    assert reason(signed(BODY, at=NOW + seconds)) == (f"signature_{expected}" if expected else "")


def test_a_right_signature_over_a_timestamp_that_is_no_number_is_stale() -> None:
    assert reason(signed(BODY, at="soon")) == "signature_stale"


@given(st.integers(0, len(BODY) * 8 - 1))
def test_a_body_with_one_bit_changed_proves_nothing(bit: int) -> None:
    tampered = bytearray(BODY)
    tampered[bit // 8] ^= 1 << bit % 8
    assert reason(signed(BODY, at=NOW), bytes(tampered)) == "signature_wrong"
    assert reason(legacy(BODY), bytes(tampered)) == "legacy_wrong"


@pytest.mark.parametrize("as_hex", [True, False])
def test_the_legacy_signature_counts_as_hex_and_as_base64(as_hex: bool) -> None:
    assert reason(legacy(BODY, as_hex=as_hex)) == ""
    assert reason(legacy(BODY, "another", as_hex=as_hex)) == "legacy_wrong"


@pytest.mark.parametrize("text", ["", "00", "z" * 64, "\u00e9" * 44, "A" * 44, " " * 64])
def test_a_legacy_signature_of_no_known_form_is_wrong(text: str) -> None:
    assert reason({"x-bc-signature": text}) == "legacy_wrong"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (f"Bearer {HEADER_SECRET}", ""),
        (f"bearer  {HEADER_SECRET} ", ""),
        (f"Basic {HEADER_SECRET}", "header_wrong"),
        (HEADER_SECRET, "header_wrong"),
        (f"Bearer {HEADER_SECRET}x", "header_wrong"),
        ("Bearer", "header_wrong"),
        ("\u20ac", "header_wrong"),
    ],
)
def test_our_header_counts_as_a_bearer_token(value: str, expected: str) -> None:
    assert reason({"authorization": value}) == expected


def test_a_header_of_another_name_carries_the_bare_secret() -> None:
    named = Proofs(OFF, REQ, OFF, header_name="x-bcns-secret", header_value=HEADER_SECRET.encode())
    assert named.check({"x-bcns-secret": HEADER_SECRET}, BODY, NOW).genuine
    assert not named.check({"authorization": f"Bearer {HEADER_SECRET}"}, BODY, NOW).genuine


def test_without_any_proof_nothing_is_genuine() -> None:
    assert reason({}) == "unproven"
    assert reason(legacy(BODY), legacy=OFF) == "unproven"


def test_one_wrong_proof_spoils_two_right_ones() -> None:
    right = {**signed(BODY, at=NOW), **legacy(BODY), **secret_header()}
    assert reason(right) == ""
    assert reason({**right, **secret_header("another-secret-0123")}) == "header_wrong"
    assert reason({**right, **legacy(BODY, "another")}) == "legacy_wrong"


@pytest.mark.parametrize("name", ["signature", "header", "legacy"])
def test_a_required_proof_is_not_made_up_for_by_the_others(name: str) -> None:
    given = {"signature": signed(BODY, at=NOW), "header": secret_header(), "legacy": legacy(BODY)}
    others = {key: value for kind, one in given.items() if kind != name for key, value in one.items()}
    assert reason({**others, **given[name]}, **{name: REQ}) == ""
    assert reason(others, **{name: REQ}) == f"{name}_absent"


def test_a_proof_that_is_off_is_not_even_looked_at() -> None:
    headers = {**secret_header(), **signed(BODY, at=NOW, secret="another"), **legacy(BODY, "another")}
    assert reason(headers, signature=OFF, legacy=OFF) == ""


DEMANDS = st.sampled_from(list(Demand))
SOME = st.sampled_from(["right", "wrong", "absent"])


@given(st.tuples(DEMANDS, DEMANDS, DEMANDS), SOME, SOME, SOME)
def test_what_is_called_hopeless_is_never_genuine(
    demands: tuple[Demand, Demand, Demand], signature: str, header: str, old: str
) -> None:
    made = proofs(*demands)
    headers: dict[str, str] = {}
    if signature != "absent":
        headers |= signed(BODY, at=NOW, secret=CLIENT_SECRET if signature == "right" else "another")
    if header != "absent":
        headers |= secret_header(HEADER_SECRET if header == "right" else "another-secret-0123")
    if old != "absent":
        headers |= legacy(BODY, CLIENT_SECRET if old == "right" else "another")
    if made.hopeless(headers, NOW):
        assert not made.check(headers, BODY, NOW).genuine
    if not headers:
        assert made.hopeless(headers, NOW)


def test_no_secret_is_shown() -> None:
    assert HEADER_SECRET not in repr(proofs())
    assert CLIENT_SECRET not in repr(proofs())
