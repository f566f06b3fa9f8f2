"""What a NetSuite account's features make possible, in few calls.

Put the reading of features and lists of the account here, not what follows from them. The metadata catalogue
is shaped by the account's own features, so the presence of a field is the test (facts/netsuite.md 3.1, 4.1, 7).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any, Final

from bcns_pipeline.clients.netsuite.models import AccountCurrency, AccountFacts, Subsidiary
from bcns_pipeline.clients.netsuite.reading import integer
from bcns_pipeline.clients.netsuite.records import Records
from bcns_pipeline.clients.netsuite.sql import unknown_name
from bcns_pipeline.clients.netsuite.suiteql import readable
from bcns_pipeline.outcomes import Rejected

RECORD_TYPES: Final = ("salesOrder", "cashSale", "customer", "itemFulfillment")
# What money is booked with; flows find out by writing, so only the doctor asks for their descriptions.
MONEY_TYPES: Final = (
    *("customerDeposit", "depositApplication", "customerPayment", "invoice"),
    *("creditMemo", "customerRefund", "journalEntry"),
)
_CUSTOM: Final = ("custbody", "custcol", "custentity", "cseg")
_CURRENCIES: Final = "SELECT id, symbol, currencyprecision, isbasecurrency FROM currency ORDER BY id ASC"
_LOCATIONS: Final = "SELECT id, subsidiary FROM location ORDER BY id ASC"
_SUBSIDIARIES: Final = "SELECT id, name, currency, country, isinactive FROM subsidiary ORDER BY id ASC"


class Account:
    """The account that the client is signed in to. Thread-safe. Reads raise OutsideError."""

    def __init__(self, records: Records) -> None:
        self._records = records

    def facts(self, record_types: Iterable[str] = RECORD_TYPES) -> AccountFacts:
        """The account's features and fields: two to four calls, and one per record type where one is missing."""
        wanted = list(record_types)
        schemas = self._schemas(wanted)
        order = _properties(schemas, "salesOrder")
        if order:
            oneworld = "subsidiary" in order
        else:
            oneworld = self._records.has("transaction", ("subsidiary",)) is None
        currencies = self._currencies()
        return AccountFacts(
            oneworld=oneworld,
            suitetax="taxdetailsoverride" in order,
            multi_currency=len(currencies) > 1,
            currencies=currencies,
            subsidiaries=self._subsidiaries() if oneworld else {},
            order_fields=_custom(order),
            line_fields=_custom(_properties(schemas, "salesOrder-itemElement")),
            customer_fields=_custom(_properties(schemas, "customer")),
            fulfilment_fields=_custom(_properties(schemas, "itemFulfillment")),
            record_types=_known(schemas, wanted),
            locations=self._locations() if oneworld else None,
            described=bool(schemas),
        )

    def described(self, record_types: Iterable[str]) -> frozenset[str]:
        """Those of these record types that NetSuite describes to the role: one call, and one per type where one is
        missing."""
        wanted = list(record_types)
        return _known(self._schemas(wanted), wanted)

    def _schemas(self, types: list[str]) -> dict[str, Any]:
        """{schema name: schema}; types that the account refuses to describe are not in it.

        {} where it describes none: the catalogue is no part of what records and queries need.
        """
        try:
            return _described(self._records.metadata(types))
        except Rejected as error:
            if error.status == 401:
                raise
        found: dict[str, Any] = {}
        for one in types:
            with suppress(Rejected):
                found |= _described(self._records.metadata([one]))
        return found

    def _currencies(self) -> dict[str, AccountCurrency]:
        """{symbol: currency}; {} where the account has no such table, which means that it has one currency."""
        found: dict[str, AccountCurrency] = {}
        try:
            for page in self._records.query.all(_CURRENCIES):
                with readable():
                    for row in page.rows:
                        precision = integer(row, "currencyprecision")
                        base = row.get("isbasecurrency") == "T"
                        two = 2 if precision is None else precision
                        found[row["symbol"].upper()] = AccountCurrency(int(row["id"]), two, base)
        except Rejected as error:
            if not unknown_name(error):
                raise
        return found

    def _locations(self) -> dict[int, int] | None:
        """{location: its subsidiary}; None where the role may not see them."""
        found: dict[int, int] = {}
        try:
            for page in self._records.query.all(_LOCATIONS):
                with readable():
                    found.update(
                        (int(row["id"]), int(row["subsidiary"]))
                        for row in page.rows
                        if row.get("subsidiary", "").isdigit()
                    )
        except Rejected as error:
            if not unknown_name(error):
                raise
            return None
        return found

    def _subsidiaries(self) -> dict[int, Subsidiary]:
        """{id: subsidiary}; {} where the role may not see them: then the mapping file has to name them."""
        found: dict[int, Subsidiary] = {}
        try:
            for page in self._records.query.all(_SUBSIDIARIES):
                with readable():
                    for row in page.rows:
                        found[int(row["id"])] = Subsidiary(
                            id=int(row["id"]),
                            name=row.get("name", ""),
                            currency=integer(row, "currency"),
                            country=row.get("country", ""),
                            inactive=row.get("isinactive") == "T",
                        )
        except Rejected as error:
            if not unknown_name(error):
                raise
        return found


def _described(catalogue: Mapping[str, Any]) -> dict[str, Any]:
    components = catalogue.get("components")
    schemas = components.get("schemas") if isinstance(components, Mapping) else None
    return dict(schemas) if isinstance(schemas, Mapping) else {}


def _properties(schemas: Mapping[str, Any], name: str) -> frozenset[str]:
    """Names of the properties of a schema, in lower case: their spelling differs between releases."""
    schema = schemas.get(name)
    properties = schema.get("properties") if isinstance(schema, Mapping) else None
    return frozenset(one.lower() for one in properties) if isinstance(properties, Mapping) else frozenset()


def _known(schemas: Mapping[str, Any], record_types: Iterable[str]) -> frozenset[str]:
    return frozenset(one for one in record_types if _properties(schemas, one))


def _custom(names: frozenset[str]) -> frozenset[str]:
    return frozenset(one for one in names if one.startswith(_CUSTOM))
