"""What kind of NetSuite account this is, asked once a day and remembered.

Put here how long the answer is believed and in what shape the rules get it. Do not put the asking here
(clients/netsuite/account.py). Features change when somebody switches them, which is rarer than a run every few
seconds; `bcns doctor` and a refusal that speaks of an unknown field ask anew.
"""

from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any

from bcns_pipeline.clients.netsuite.models import AccountCurrency, AccountFacts
from bcns_pipeline.clients.netsuite.models import Subsidiary as SubsidiaryRow
from bcns_pipeline.config import Mapping
from bcns_pipeline.outcomes import Lane
from bcns_pipeline.resources.connections import Connections
from bcns_pipeline.rules.money import exponent
from bcns_pipeline.rules.orders.facts import Account, NetSuiteCurrency, Subsidiary

CURSOR = "netsuite/account"
BELIEVED_FOR = timedelta(hours=24)
VERSION = 1
_SETS = ("order_fields", "line_fields", "customer_fields", "fulfilment_fields", "record_types")


def account_facts(connections: Connections, *, anew: bool = False) -> AccountFacts:
    """Features, currencies, subsidiaries and custom fields; from memory where they were read within a day."""
    kept = connections.scratch.get(CURSOR)
    if kept is None or anew:
        found = None if anew else remembered(connections.state.cursors.get(CURSOR))
        kept = found or _ask(connections)
        connections.scratch[CURSOR] = kept
    facts: AccountFacts = kept
    return facts


def account_of(connections: Connections) -> Account:
    """The account as the rules of orders take it."""
    return as_account(account_facts(connections), connections.mapping)


def as_account(facts: AccountFacts, mapping: Mapping) -> Account:
    """What was read of the account, in the shape of the rules; the mapping file may know better about OneWorld. It is
    asked for SuiteTax where NetSuite describes no record, and for the currencies where it lists none: one alone is all
    that the account has.
    """
    oneworld = mapping.netsuite.oneworld
    symbols = {currency.id: symbol for symbol, currency in facts.currencies.items()}
    base = next((symbol for symbol, currency in facts.currencies.items() if currency.base), "")
    currencies = {
        symbol: NetSuiteCurrency(currency.id, currency.precision)
        for symbol, currency in facts.currencies.items()
    }
    named = mapping.orders.currencies
    if not currencies and len(named) == 1:
        (base,) = named
    elif not currencies:
        currencies = {symbol: NetSuiteCurrency(number, exponent(symbol)) for symbol, number in named.items()}
    return Account(
        oneworld=facts.oneworld if oneworld == "auto" else oneworld,
        suitetax=facts.suitetax if facts.described else mapping.orders.tax.method == "suitetax",
        base_currency=base,
        currencies=currencies,
        subsidiaries={
            number: Subsidiary(number, symbols.get(one.currency or 0, ""), one.country)
            for number, one in facts.subsidiaries.items()
            if not one.inactive
        },
        locations=facts.locations,
        described=facts.described,
    )


def _ask(connections: Connections) -> AccountFacts:
    facts = connections.netsuite(Lane.BULK).account.facts()
    if not facts.described:  # not remembered, so that a right that is granted is seen at the next run
        return facts
    content = {name: sorted(value) if name in _SETS else value for name, value in asdict(facts).items()}
    connections.state.cursors.move(
        CURSOR, {"version": VERSION, "at": datetime.now(UTC).isoformat(), "facts": content}
    )
    return facts


def remembered(value: Any, believed_for: timedelta = BELIEVED_FOR) -> AccountFacts | None:
    """What `_ask` wrote, unless it is too old or of another version: then three calls find out anew."""
    if not isinstance(value, dict) or value.get("version") != VERSION:
        return None
    if datetime.now(UTC) - datetime.fromisoformat(value["at"]) > believed_for:
        return None
    facts = dict(value["facts"])
    locations = facts["locations"]
    return AccountFacts(
        **{
            **facts,
            **{name: frozenset(facts[name]) for name in _SETS},
            "currencies": {symbol: AccountCurrency(**one) for symbol, one in facts["currencies"].items()},
            "subsidiaries": {
                int(number): SubsidiaryRow(**one) for number, one in facts["subsidiaries"].items()
            },
            "locations": None if locations is None else {int(one): at for one, at in locations.items()},
        }
    )
