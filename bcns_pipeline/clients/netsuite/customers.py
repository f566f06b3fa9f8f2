"""Customers in NetSuite: found by external id or e-mail, with addresses and subsidiaries, created and patched.

Put queries and writes of the customer record here. Which of several customers is the right one is decided by
the rules. Facts: facts/netsuite.md 2.4, 3.3, 3.6, 4.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from bcns_pipeline.clients.netsuite import sql
from bcns_pipeline.clients.netsuite.models import AddressRow, CustomerRow, Page, Row
from bcns_pipeline.clients.netsuite.reading import (
    Tolerant,
    by_id,
    by_pair,
    columns,
    id_pieces,
    integer,
    marks,
    pairs_of,
)
from bcns_pipeline.clients.netsuite.records import Records
from bcns_pipeline.clients.netsuite.suiteql import readable
from bcns_pipeline.outcomes import Outcome, Rejected

# An account with one currency need not have the column: which ones exist depends on features (facts/netsuite.md 2.2).
_CURRENCY: Final = {"currency": "c.currency"}
_TAXABLE: Final = {"taxable": "c.taxable"}
_SUBSIDIARY: Final = {"subsidiary": "c.subsidiary"}
_ADDRESS: Final = {"internalid": "b.internalid", "addrphone": "a.addrphone"}


class Customers:
    """Customers of one account. Thread-safe. Reads raise OutsideError, writes return an Outcome.

    `oneworld` asks for the primary subsidiary, which other accounts refuse as an unknown column. `custom_fields`
    are further fields to read (custentity_…); one that the account does not show is left out of `CustomerRow.custom`.
    """

    def __init__(self, records: Records) -> None:
        self._records = records
        self._tolerant = Tolerant()

    def find(
        self,
        external_ids: Iterable[str] = (),
        emails: Iterable[str] = (),
        *,
        oneworld: bool = False,
        custom_fields: Sequence[str] = (),
    ) -> list[CustomerRow]:
        """Customers with one of these external ids or e-mails (whatever their case), inactive ones included.

        One query for up to 500 of each. A customer that matches twice comes once per query.
        """
        folded = (one.strip().lower() for one in emails if one.strip())
        found: dict[int, CustomerRow] = {}
        for some, addresses in pairs_of(external_ids, folded):
            conditions = []
            if some:
                conditions.append(f"c.externalid IN ({marks(some)})")
            if addresses:
                conditions.append(f"LOWER(c.email) IN ({marks(addresses)})")
            where = f"({' OR '.join(conditions)})"
            for rows in self._read(where, [*some, *addresses], oneworld=oneworld, custom=custom_fields):
                found.update((row.id, row) for row in rows)
        return list(found.values())

    def by_id(
        self, ids: Iterable[int], *, oneworld: bool = False, custom_fields: Sequence[str] = ()
    ) -> dict[int, CustomerRow]:
        """{internal id: customer} of those that exist, 500 a call."""
        found: dict[int, CustomerRow] = {}
        for some in id_pieces(ids):
            for rows in self._read(f"c.id IN ({some})", (), oneworld=oneworld, custom=custom_fields):
                found.update((row.id, row) for row in rows)
        return found

    def changed(
        self, since: str, *, prefix: str = "", start_after: int = 0, oneworld: bool = False
    ) -> Iterator[list[CustomerRow]]:
        """Customers that changed since `since` (NetSuite's clock), by ascending id, page by page.

        `prefix` keeps those whose external id starts with it.
        """
        where, params = "c.lastmodifieddate >= TO_DATE(?, 'YYYY-MM-DD HH24:MI:SS')", [since]
        if prefix:
            where, params = f"{where} AND c.externalid LIKE ?", [since, f"{prefix}%"]
        for rows in self._read(where, params, oneworld=oneworld, after=start_after):
            yield [row for row in rows if row.external_id.startswith(prefix)]

    def addresses(self, ids: Iterable[int]) -> dict[int, list[AddressRow]]:
        """{customer: address book}, [] for a customer without; 500 customers a call and page."""
        wanted = set(ids)
        found: dict[int, list[AddressRow]] = {one: [] for one in sorted(wanted)}
        for some in id_pieces(wanted):

            def pages(lacks: frozenset[str], some: str = some) -> Iterator[Page]:
                text = sql.fill("customer_addresses", ids=some, optional=columns(_ADDRESS, lacks))
                return by_pair(self._records.query, text, "entity", "nkey")

            for page in self._tolerant.pages(pages, list(_ADDRESS)):
                with readable():
                    for row in page.rows:
                        found[int(row["entity"])].append(_address(row))
        return found

    def subsidiaries(self, ids: Iterable[int]) -> dict[int, tuple[int, ...]] | None:
        """{customer: subsidiaries it may buy from}; None where the account or role has no such table."""
        found: dict[int, list[int]] = {}
        try:
            for some in id_pieces(ids):
                text = sql.fill("customer_subsidiaries", ids=some)
                for page in by_pair(self._records.query, text, "entity", "subsidiary"):
                    with readable():
                        for row in page.rows:
                            found.setdefault(int(row["entity"]), []).append(int(row["subsidiary"]))
        except Rejected as error:
            if not sql.unknown_name(error):
                raise
            return None
        return {customer: tuple(some) for customer, some in found.items()}

    def create(self, body: Mapping[str, Any]) -> Outcome:
        """A new customer; see `Records.create`."""
        return self._records.create("customer", body)

    def patch(self, key: int | str, body: Mapping[str, Any]) -> Outcome:
        """Change what `body` names. Address lines without their `internalId` are added (facts/netsuite.md 3.3)."""
        return self._records.patch("customer", str(key), body)

    def _read(
        self,
        where: str,
        params: Iterable[str],
        *,
        oneworld: bool,
        after: int = 0,
        custom: Sequence[str] = (),
    ) -> Iterator[list[CustomerRow]]:
        bound = list(params)
        further = {sql.identifier(name.lower()): f"c.{name.lower()}" for name in custom}
        wanted = {**(_SUBSIDIARY if oneworld else {}), **_CURRENCY, **_TAXABLE, **further}

        def pages(lacks: frozenset[str]) -> Iterator[Page]:
            text = sql.fill("customers", optional=columns(wanted, lacks), where=where)
            return by_id(self._records.query, text, bound, after)

        for page in self._tolerant.pages(pages, [*_CURRENCY, *_TAXABLE, *further]):
            shown = [name for name in further if name not in self._tolerant.lacks]
            with readable():
                rows = [_customer(row, shown) for row in page.rows]
            yield rows


def _customer(row: Row, custom: Sequence[str]) -> CustomerRow:
    return CustomerRow(
        id=int(row["id"]),
        external_id=row.get("external_id", ""),
        email=row.get("email", ""),
        is_person=row.get("is_person") == "T",
        company=row.get("company", ""),
        first=row.get("first_name", ""),
        last=row.get("last_name", ""),
        phone=row.get("phone", ""),
        inactive=row.get("is_inactive") == "T",
        currency=integer(row, "currency"),
        last_modified=row.get("modified_at", ""),
        subsidiary=integer(row, "subsidiary"),
        taxable=row["taxable"] == "T" if "taxable" in row else None,
        custom={name: row.get(name, "") for name in custom},
    )


def _address(row: Row) -> AddressRow:
    return AddressRow(
        customer=int(row["entity"]),
        nkey=int(row["nkey"]),
        internal_id=integer(row, "internalid"),
        default_shipping=row.get("default_shipping") == "T",
        default_billing=row.get("default_billing") == "T",
        addressee=row.get("addressee", ""),
        addr1=row.get("addr1", ""),
        addr2=row.get("addr2", ""),
        city=row.get("city", ""),
        state=row.get("state", ""),
        zip=row.get("zip", ""),
        country=row.get("country", ""),
        phone=row.get("addrphone", ""),
    )
