"""As what the tax of an order is posted: SuiteTax's override, a line of its own, or left to NetSuite.

Put codes, items and the cases (reverse charge, exempt, marketplace) here. How much tax there is, and on what,
is settled before (`taxes.py`, `totals.py`). Facts: facts/finance.md 2.9, 3.3; facts/netsuite.md 4.1.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any, Final

from bcns_pipeline.rules.money import Money, total
from bcns_pipeline.rules.orders.draft import CODE, ITEM, TaxDetail
from bcns_pipeline.rules.orders.facts import Account, Facts
from bcns_pipeline.rules.orders.model import ZERO, Details, Order, TaxRow
from bcns_pipeline.rules.orders.paths import look_up
from bcns_pipeline.rules.orders.policy import Channel, OrderPolicy, ReverseCharge, TaxCode, TaxPolicy, fold
from bcns_pipeline.rules.orders.problems import Problem
from bcns_pipeline.rules.orders.totals import Part, Totals
from bcns_pipeline.rules.orders.vat import sound_vat_number

_RATE_DIGITS: Final = Decimal("0.0001")


@dataclass(frozen=True, slots=True)
class TaxLine:
    """Tax as an item line."""

    key: str
    item: int
    amount: Money


@dataclass(frozen=True, slots=True)
class TaxPlan:
    """How the tax is posted. `how` names the case for the trail.

    `overrides`: NetSuite is given every row; `details` are those of the parts, by key, and `untaxed` the code
    of all other lines. `lines` carry tax as items. `fields` go to the header. `engine`: NetSuite computes.
    `posted` is the charged tax by the name that the order's own tax rows have for it ("" where they were not read), and
    by what it is posted as (`draft.CODE`, `draft.ITEM`).
    """

    how: str
    overrides: bool = False
    untaxed: TaxCode | None = None
    details: Mapping[str, tuple[TaxDetail, ...]] = field(default_factory=dict)
    lines: tuple[TaxLine, ...] = ()
    fields: Mapping[str, Any] = field(default_factory=dict, repr=False)
    engine: bool = False
    inside: bool = False
    posted: Mapping[tuple[str, str], Money] = field(default_factory=dict)

    def of(self, key: str, basis: Money) -> tuple[TaxDetail, ...]:
        """The rows of a line; one of 0.00 for a line that carries no tax."""
        if not self.overrides:
            return ()
        return self.details.get(key) or _zero_row(self.untaxed, basis)

    @property
    def by_netsuite(self) -> Decimal:
        """What NetSuite itself must show as tax."""
        return sum((row.amount for rows in self.details.values() for row in rows), ZERO)


@dataclass(frozen=True, slots=True)
class _Proven:
    rule: ReverseCharge
    number: str = field(repr=False)


def tax_mode(policy: OrderPolicy, channel: Channel) -> str:
    """bc_final or ns_recalc, for this channel."""
    return channel.tax_mode or policy.tax.mode


def plan_tax(
    order: Order,
    totals: Totals,
    details: Details,
    channel: Channel,
    facts: Facts,
    policy: OrderPolicy,
    *,
    marketplace: bool,
) -> TaxPlan | list[Problem]:
    """How the tax of `totals` is posted. ValueError where tax rows are needed and were not read."""
    charged, rules = totals.tax.total, policy.tax
    if marketplace:
        return _marketplace(charged, rules, facts.account)
    problems = list(_exempt_mismatch(charged, facts))
    reverse = _reverse_charge(order, totals, rules.reverse_charge)
    if isinstance(reverse, Problem):
        return [*problems, reverse]
    if problems:
        return problems
    if policy.gross_lines:
        return replace(_tax_free("inside_the_amounts", rules, facts.account), inside=True)
    if tax_mode(policy, channel) == "ns_recalc":
        return TaxPlan("ns_recalc", engine=True)
    if reverse is not None:
        return _reverse_plan(reverse, totals, rules, facts.account)
    if _by_suitetax(rules, facts.account):
        return _suitetax(totals, details, rules)
    return _item_lines(totals, details, rules, facts.account)


def _exempt_mismatch(charged: Money, facts: Facts) -> Iterator[Problem]:
    customer = facts.customer
    if customer.tax_exempt and charged:
        yield Problem(
            "TAX_EXEMPT_MISMATCH",
            f"NetSuite takes customer {customer.id or customer.external_id} for exempt from tax, and the "
            f"shopper was charged {charged} of it.",
            f"customer:{customer.id or customer.external_id}",
        )


def _by_suitetax(rules: TaxPolicy, account: Account) -> bool:
    if rules.method == "auto":
        return account.suitetax and any(code.code for code in (rules.default, *rules.codes.values()))
    return rules.method == "suitetax"


def _untaxed(rules: TaxPolicy) -> TaxCode | None:
    """The code of lines without tax: that of exempt lines, else the usual one at 0 percent."""
    return rules.exempt or (rules.default if rules.default.code else None)


def _tax_free(how: str, rules: TaxPolicy, account: Account, *lines: TaxLine) -> TaxPlan:
    """No tax of NetSuite's own: with SuiteTax, each line says so, or the engine would compute some."""
    untaxed = _untaxed(rules) if account.suitetax else None
    return TaxPlan(how, overrides=untaxed is not None, untaxed=untaxed, lines=lines)


def _marketplace(charged: Money, rules: TaxPolicy, account: Account) -> TaxPlan | list[Problem]:
    """The marketplace remits it: it goes to a wash account and never to tax payable (facts/finance.md 2.9)."""
    if not charged:
        return _tax_free("marketplace", rules, account)
    if rules.marketplace_item is None:
        return [
            _no_code("the tax that a marketplace collected", "orders.tax.marketplace_item", "marketplace")
        ]
    line = TaxLine("tax", rules.marketplace_item, charged)
    posted = {("", f"{ITEM}{line.item}"): charged}
    return replace(_tax_free("marketplace", rules, account, line), posted=posted)


def _suitetax(totals: Totals, details: Details, rules: TaxPolicy) -> TaxPlan | list[Problem]:
    rows: dict[str, tuple[TaxDetail, ...]] = {}
    posted: dict[tuple[str, str], Money] = {}
    problems: dict[str, Problem] = {}
    for part in totals.parts:
        if not part.tax:
            continue
        found = []
        for name, code, rate, amount in _taxes_of(part, details, rules):
            if code is None or code.code is None:
                key = f"orders.tax.codes.{name}.code" if rules.codes else "orders.tax.code"
                problems[name] = _no_code(f"the tax {name!r}" if name else "tax", key, name)
            else:
                basis = part.net.amount
                rate = code.rate if code.rate is not None else rate
                _add(posted, name, f"{CODE}{code.code}", amount)
                found.append(TaxDetail(code.code, code.type, basis, _rate(rate, amount, part), amount.amount))
        rows[part.key] = tuple(found)
    if problems:
        return list(problems.values())
    untaxed = _untaxed(rules) or _any_code(rules)
    return TaxPlan("suitetax", overrides=True, untaxed=untaxed, details=rows, posted=posted)


def _add(posted: dict[tuple[str, str], Money], name: str, how: str, amount: Money) -> None:
    posted[name, how] = posted.get((name, how), Money.zero(amount.currency)) + amount


def _any_code(rules: TaxPolicy) -> TaxCode | None:
    return next((code for code in rules.codes.values() if code.code), None)


def _item_lines(
    totals: Totals, details: Details, rules: TaxPolicy, account: Account
) -> TaxPlan | list[Problem]:
    sums: dict[int, Money] = {}
    posted: dict[tuple[str, str], Money] = {}
    problems: dict[str, Problem] = {}
    for part in totals.parts:
        for name, code, _, amount in _taxes_of(part, details, rules) if part.tax else ():
            if code is None or code.item is None:
                key = f"orders.tax.codes.{name}.item" if rules.codes else "orders.tax.item"
                problems[name] = _no_code(f"the tax {name!r}" if name else "tax", key, name)
            else:
                _add(posted, name, f"{ITEM}{code.item}", amount)
                sums[code.item] = sums.get(code.item, Money.zero(amount.currency)) + amount
    if problems:
        return list(problems.values())
    own_names = len(sums) > 1 or any(item != rules.default.item for item in sums)
    lines = [
        TaxLine(f"tax-{item}" if own_names else "tax", item, amount) for item, amount in sorted(sums.items())
    ]
    return replace(_tax_free("item_line", rules, account, *lines), posted=posted)


def _taxes_of(
    part: Part, details: Details, rules: TaxPolicy
) -> Iterator[tuple[str, TaxCode | None, Decimal | None, Money]]:
    """The taxes on a part: name, code, BigCommerce's rate and amount, which together are the part's tax."""
    if not rules.codes:
        yield "", rules.default, None, part.tax
        return
    if details.taxes is None:
        raise ValueError("orders.tax.codes needs the order's tax rows, and they were not read")
    rows: dict[tuple[str, str], tuple[Decimal, Decimal]] = {}
    for row in details.taxes:
        if _is_of(row, part) and row.amount > 0:
            before = rows.get((row.name, row.tax_class), (row.rate, ZERO))
            rows[row.name, row.tax_class] = (row.rate, before[1] + row.amount)
    if not rows:
        yield "", rules.default if rules.default.code or rules.default.item else None, None, part.tax
        return
    amounts = part.tax.allocate([amount for _, amount in rows.values()])
    for ((name, tax_class), (rate, _)), amount in zip(rows.items(), amounts, strict=True):
        code = rules.codes.get(fold(name)) or rules.codes.get(fold(tax_class))
        if code is None and (rules.default.code or rules.default.item):
            code = rules.default
        yield name, code, rate, amount


def _is_of(row: TaxRow, part: Part) -> bool:
    match row.line_type:
        case "item":
            return part.kind == "line" and part.line is not None and row.line_id == part.line.id
        case "shipping":
            return part.kind == "shipping"
        case "handling":
            return part.kind == "handling"
        case "gift-wrapping":
            return part.kind == "wrapping"
        case _:  # of fees, BigCommerce says only that there was tax
            return part.kind == "fee"


def _reverse_charge(order: Order, totals: Totals, rule: ReverseCharge | None) -> _Proven | Problem | None:
    """None where the order is an ordinary one; a Problem where nothing proves that no tax was due."""
    paid = total([part.net for part in totals.parts], totals.charged.currency)
    if rule is None or totals.tax.total or not paid:
        return None
    places = [one.address.country_code for one in order.ship_to] or [order.billing.country_code]
    if not any(place in rule.countries for place in places):
        return None
    if rule.company_only and not order.billing.company:
        return None
    given = look_up(rule.evidence, order.document)
    number = sound_vat_number(str(given or ""), {*places, order.billing.country_code})
    if number is None:
        why = "none is with the order" if not given else "the one with the order does not look like one"
        return Problem(
            "REVERSE_CHARGE_UNPROVEN",
            f"No tax was charged into {places[0]}, and of VAT numbers {why}.",
        )
    return _Proven(rule, number)


def _reverse_plan(proven: _Proven, totals: Totals, rules: TaxPolicy, account: Account) -> TaxPlan:
    """A row of 0.00 with the code of reverse charge on each part: that is not the same as no tax at all."""
    post = proven.rule.post
    fields = {proven.rule.field: proven.number} if proven.rule.field else {}
    if _by_suitetax(rules, account):
        code = post if post.code else _untaxed(rules)
        rows = {part.key: _zero_row(code, part.net) for part in totals.parts}
        return TaxPlan("reverse_charge", overrides=True, untaxed=code, details=rows, fields=fields)
    nothing = Money.zero(totals.charged.currency)
    lines = (TaxLine("tax", post.item, nothing),) if post.item else ()
    return replace(_tax_free("reverse_charge", rules, account, *lines), fields=fields)


def _zero_row(code: TaxCode | None, basis: Money) -> tuple[TaxDetail, ...]:
    if code is None or code.code is None:
        return ()
    return (TaxDetail(code.code, code.type, basis.amount, ZERO, Money.zero(basis.currency).amount),)


def _rate(rate: Decimal | None, amount: Money, part: Part) -> Decimal:
    """In percent: the one that is known, else what the amounts come to (facts/finance.md 3.2)."""
    if rate is not None:
        return rate
    if not part.net:
        return ZERO
    return (amount.amount * 100 / part.net.amount).quantize(_RATE_DIGITS)


def _no_code(what: str, key: str, name: str) -> Problem:
    return Problem(
        "TAX_CODE_UNMAPPED", f"There is nothing to post {what} as; name it as {key}.", f"tax:{name}"
    )
