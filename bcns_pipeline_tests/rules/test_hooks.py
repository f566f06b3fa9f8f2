from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from bcns_pipeline.rules.hooks import RETRIES_LAST, Hook, HookPlan, hook_plan
from bcns_pipeline.rules.intake import Window

NOW = datetime(2026, 3, 10, tzinfo=UTC)
MADE = NOW - timedelta(days=200)
OURS = "https://hooks.shop.test/webhooks/bigcommerce"
OLD = "https://old.shop.test/webhooks/bigcommerce"
THEIRS = "https://other.test/in"
ORDERS = "store/order/updated"
SHOPPERS = "store/customer/updated"


def hook(number: int, scope: str = ORDERS, destination: str = OURS, **facts: bool) -> Hook:
    return Hook(number, scope, destination, facts.get("active", True), MADE, facts.get("ours", True))


def kinds(plan: HookPlan) -> list[tuple[str, str, int | None]]:
    return [(action.kind, action.scope, action.hook_id) for action in plan.actions]


def test_hooks_that_are_as_wanted_are_left_alone() -> None:
    plan = hook_plan([hook(1), hook(2, SHOPPERS)], [ORDERS, SHOPPERS], OURS, NOW)
    assert plan == HookPlan()
    assert plan.healthy


def test_the_spelling_of_a_destination_does_not_matter() -> None:
    spelt = "https://HOOKS.shop.test:443/webhooks/bigcommerce/"
    assert hook_plan([hook(1, destination=spelt)], [ORDERS], OURS, NOW).healthy


def test_a_missing_hook_is_made_and_its_gap_begins_with_the_oldest_retry_before_the_last_good_check() -> None:
    last_ok = NOW - timedelta(hours=6)
    plan = hook_plan([], [ORDERS], OURS, NOW, last_ok=last_ok)
    assert kinds(plan) == [("create", ORDERS, None)]
    assert plan.gap == Window(last_ok - RETRIES_LAST, NOW)


def test_the_first_hooks_of_a_store_leave_no_gap() -> None:
    assert hook_plan([], [ORDERS], OURS, NOW).gap is None


def test_a_hook_that_was_switched_off_is_reactivated_and_what_it_lost_is_read_again() -> None:
    plan = hook_plan([hook(1, active=False)], [ORDERS], OURS, NOW)
    assert kinds(plan) == [("reactivate", ORDERS, 1)]
    assert plan.gap == Window(MADE - RETRIES_LAST, NOW)


def test_90_idle_days_are_named_as_the_reason() -> None:
    off = [hook(1, active=False)]
    idle = hook_plan(off, [ORDERS], OURS, NOW, last_event=NOW - timedelta(days=91))
    busy = hook_plan(off, [ORDERS], OURS, NOW, last_event=NOW - timedelta(days=3))
    assert "90 idle days" in idle.actions[0].reason
    assert "idle" not in busy.actions[0].reason


def test_of_two_hooks_for_one_scope_the_one_that_works_stays() -> None:
    twins = [hook(1, active=False), hook(2)]
    plan = hook_plan(twins, [ORDERS], OURS, NOW)
    assert kinds(plan) == [("delete", ORDERS, 1)]
    assert plan.gap is None


def test_a_hook_that_delivers_to_our_old_address_is_moved() -> None:
    plan = hook_plan([hook(1, destination=OLD)], [ORDERS], OURS, NOW, last_ok=NOW - timedelta(days=1))
    assert kinds(plan) == [("move", ORDERS, 1)]
    assert plan.gap is not None


def test_a_hook_at_our_old_address_goes_where_a_right_one_stands() -> None:
    plan = hook_plan([hook(1, destination=OLD), hook(2)], [ORDERS], OURS, NOW)
    assert kinds(plan) == [("delete", ORDERS, 1)]


def test_a_hook_with_another_secret_gets_ours_where_our_receiver_asks_for_it() -> None:
    strange = [hook(1, ours=False)]
    assert kinds(hook_plan(strange, [ORDERS], OURS, NOW)) == [("secure", ORDERS, 1)]
    assert hook_plan(strange, [ORDERS], OURS, NOW, secret=False).healthy


def test_hooks_of_others_are_never_touched() -> None:
    theirs = [hook(n, destination=THEIRS, ours=False) for n in (1, 2)]
    other_place = hook(3, "store/sku/updated", destination=OLD, ours=False)
    # Somebody has another scope called at our own address: it is answered, and it is not ours to delete.
    at_ours = hook(4, "store/sku/updated", ours=False)
    plan = hook_plan([*theirs, other_place, at_ours], [ORDERS], OURS, NOW)
    assert kinds(plan) == [("create", ORDERS, None)]


def test_a_scope_that_others_have_filled_up_needs_a_person() -> None:
    theirs = [hook(n, destination=f"{THEIRS}/{n}", ours=False) for n in range(10)]
    plan = hook_plan(theirs, [ORDERS], OURS, NOW)
    assert plan.actions == ()
    assert ORDERS in plan.faults[0]


def test_our_hook_for_a_scope_that_nobody_wants_goes() -> None:
    plan = hook_plan([hook(1), hook(2, SHOPPERS)], [ORDERS], OURS, NOW)
    assert kinds(plan) == [("delete", SHOPPERS, 2)]


def test_a_blocked_domain_is_a_fault_with_its_gap() -> None:
    last_ok = NOW - timedelta(minutes=10)
    plan = hook_plan([hook(1)], [ORDERS], OURS, NOW, blocked_seconds=120, last_ok=last_ok)
    assert plan.actions == ()
    assert "120 seconds" in plan.faults[0]
    assert plan.gap == Window(last_ok - RETRIES_LAST, NOW)


def made_so(found: list[Hook], plan: HookPlan) -> list[Hook]:
    """What the store lists once the plan is carried out; it refuses a second hook of one scope and address."""
    hooks = {one.id: one for one in found}
    for action in plan.actions:
        number = action.hook_id or max(hooks, default=0) + 1
        before = hooks.pop(number, None)
        if action.kind == "delete":
            continue
        if action.kind in {"create", "move"}:
            assert (action.scope, OURS) not in {(one.scope, one.destination) for one in hooks.values()}
        hooks[number] = Hook(number, action.scope, OURS, True, before.changed if before else NOW, ours=True)
    return list(hooks.values())


@given(
    st.lists(
        st.builds(
            Hook,
            st.integers(1, 10**6),
            st.sampled_from([ORDERS, SHOPPERS, "store/sku/updated"]),
            st.sampled_from([OURS, OLD, THEIRS]),
            st.booleans(),
            st.just(MADE),
            st.booleans(),
        ),
        unique_by=lambda one: one.id,
        max_size=9,
    )
)
def test_one_repair_is_enough_and_leaves_the_hooks_of_others(found: list[Hook]) -> None:
    after = made_so(found, hook_plan(found, [ORDERS, SHOPPERS], OURS, NOW))
    assert hook_plan(after, [ORDERS, SHOPPERS], OURS, NOW).healthy
    for scope in (ORDERS, SHOPPERS):
        assert len([one for one in after if one.scope == scope and one.ours]) == 1
    theirs = [one for one in found if not one.ours and one.destination != OURS]
    assert {one.id for one in theirs} <= {one.id for one in after if not one.ours}
