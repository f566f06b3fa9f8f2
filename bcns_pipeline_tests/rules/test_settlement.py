"""What a read-back proves, checked against every way in which a push and a few sales can interleave."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bcns_pipeline.rules.settlement import NEVER, settlement

quantity = st.integers(min_value=0, max_value=50)


@given(old=quantity, new=quantity, sold=st.integers(0, 50))
def test_a_push_that_was_never_applied_is_never_taken_for_applied(old: int, new: int, sold: int) -> None:
    live = max(0, old - sold)
    if live != new:
        assert not settlement(old, new, live) or (new < old and live < new)
    # A cut that was overtaken by sales is the one case that can't be told apart, and it can't oversell.


@given(old=quantity, new=quantity)
def test_the_pushed_value_itself_is_proof(old: int, new: int) -> None:
    assert settlement(old, new, new)
    assert settlement(NEVER, new, new)


@given(old=quantity, new=quantity, extra=st.integers(1, 50))
def test_more_than_pushed_is_never_proof(old: int, new: int, extra: int) -> None:
    assert not settlement(old, new, new + extra)


@given(new=st.integers(1, 50), sold=st.integers(1, 50))
def test_a_first_push_needs_the_value_itself(new: int, sold: int) -> None:
    assert not settlement(NEVER, new, max(0, new - sold))


def test_sold_after_a_raise_is_recognised_above_the_old_value() -> None:
    assert settlement(old=3, new=10, live=9)
    assert not settlement(old=3, new=10, live=3)
    assert not settlement(old=9, new=10, live=8)
