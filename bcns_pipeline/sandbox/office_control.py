"""The control endpoint's verbs on NetSuite's side.

Put paths and the form of answers here. Do not put what happens here (office_events.py, office_finance.py,
office_people.py, office_returns.py). Whatever a verb saves is a person's work, not the integration's.
"""

# ruff: noqa: ARG001, ARG002 - a route hands the call to every handler, whether it looks at it or not.

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from bcns_pipeline.sandbox.netsuite.errors import Refused
from bcns_pipeline.sandbox.netsuite.ledger import INTEGRATION, OFFICE, Ledger
from bcns_pipeline.sandbox.office_events import Office
from bcns_pipeline.sandbox.office_finance import Accountant
from bcns_pipeline.sandbox.office_people import Administrator
from bcns_pipeline.sandbox.office_returns import ReturnsDesk
from bcns_pipeline.sandbox.web import Call

Verb = tuple[str, str, Callable[[Call, Any], Any]]


class OfficeControl:
    """Verbs for the control endpoint's table."""

    def __init__(self, office: Office) -> None:
        self._office = office
        self._administrator = Administrator(office)
        self._accountant = Accountant(office)
        self._returns = ReturnsDesk(office)

    def verbs(self) -> Iterator[Verb]:
        """Method, path and handler of each verb."""
        office, administrator, accountant = self._office, self._administrator, self._accountant
        posts: dict[str, Callable[[Any], Any]] = {
            "/netsuite/fulfil": office.fulfil,
            "/netsuite/track": office.track,
            "/netsuite/ship": office.advance,
            "/netsuite/unship": office.unship,
            "/netsuite/order/close_line": office.close_line,
            "/netsuite/order/cancel": office.cancel_order,
            "/netsuite/order/hold": office.hold_order,
            "/netsuite/order/bill": office.bill_order,
            "/netsuite/order/legacy": office.legacy_order,
            "/netsuite/return": self._returns.authorise,
            "/netsuite/return/receive": self._returns.receive,
            "/netsuite/return/close": self._returns.close,
            "/netsuite/script": administrator.script,
            "/netsuite/lock": administrator.lock,
            "/netsuite/conflict": administrator.conflict,
            "/netsuite/period": administrator.period,
            "/netsuite/settings": administrator.settings,
            "/netsuite/customer": administrator.edit_customer,
            "/netsuite/customer/merge": administrator.merge_customers,
            "/netsuite/stock/reset": administrator.reset_stock,
            "/netsuite/journal": accountant.enter_journal,
            "/netsuite/journal/approve": accountant.approve,
            "/netsuite/rate": accountant.set_rate,
            "/netsuite/invoice": accountant.enter_invoice,
            "/netsuite/money/edit": accountant.edit,
            "/netsuite/money/void": accountant.void,
            "/netsuite/deposit/failure": accountant.fail_deposits,
            "/netsuite/account": accountant.edit_account,
        }
        for path, handler in posts.items():
            yield "POST", path, said(handler, office.context.ledger)
        yield "GET", "/state/netsuite/transactions", self._transactions
        yield "GET", "/state/netsuite/customers", self._customers
        yield "GET", "/state/netsuite/ledger", self._ledger

    def _transactions(self, call: Call, body: Any) -> Any:
        return self._administrator.transactions(call.query)

    def _ledger(self, call: Call, body: Any) -> Any:
        return self._accountant.ledger(call.query)

    def _customers(self, call: Call, body: Any) -> Any:
        return self._administrator.customers()


def said(handler: Callable[[Any], Any], ledger: Ledger) -> Callable[[Call, Any], Any]:
    """A verb by the office's employee, whose refusal by NetSuite's own rules is one sentence."""

    def run(call: Call, body: Any) -> Any:
        ledger.actor = OFFICE
        try:
            return handler(body)
        except Refused as refused:
            raise ValueError(refused.detail) from refused
        finally:
            ledger.actor = INTEGRATION

    return run
