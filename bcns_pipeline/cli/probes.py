"""How the doctor looks: findings, probes that can't hide each other, and what is read once for all of them.

Put here the machinery that every probe shares. Do not put a probe here: each system has a module of its own
(`probes_bigcommerce.py`, `probes_netsuite.py`, `probes_state.py`, `probes_both.py`), orders have
`probes_orders.py`, and sources of payouts `probes_payments.py`. A probe yields findings; what it raises becomes a
finding, and the next probe goes on.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, TypeVar

from bcns_pipeline.cli.accounts import WatchingPacer
from bcns_pipeline.clients.bigcommerce.client import BigCommerceClient
from bcns_pipeline.clients.bigcommerce.models import Channel, Currency, Location, Store
from bcns_pipeline.clients.http.exchange import HttpClient
from bcns_pipeline.clients.netsuite.account import MONEY_TYPES, RECORD_TYPES
from bcns_pipeline.clients.netsuite.client import NetSuiteClient
from bcns_pipeline.clients.netsuite.models import AccountFacts, NetSuiteLocation
from bcns_pipeline.config import Mapping
from bcns_pipeline.outcomes import OutsideError, Rejected
from bcns_pipeline.rules.faults import BadInput
from bcns_pipeline.settings import Settings

T = TypeVar("T")


class Level(StrEnum):
    """How bad it is. BLOCKED and BAD_INPUT: a flow can't run; UNKNOWN: it could not be looked at."""

    OK = "ok"
    NOTE = "note"
    WARNING = "warning"
    UNKNOWN = "unknown"
    BLOCKED = "blocked"
    BAD_INPUT = "bad input"


STOPPING = frozenset({Level.BLOCKED, Level.BAD_INPUT})


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report: what was looked at, what was found, what that means, and how to mend it."""

    what: str
    found: str
    means: str = ""
    mend: str = ""
    level: Level = Level.OK


@dataclass(slots=True)
class Patient:
    """Both accounts, the mapping and the settings. A client is None where its settings are incomplete.

    Reads that several probes need happen once; one that failed fails again with the same error, without a
    call.
    """

    settings: Settings
    mapping: Mapping
    bigcommerce: BigCommerceClient | None = None
    netsuite: NetSuiteClient | None = None
    pacer: WatchingPacer | None = None
    # Given by tests.
    payments_network: HttpClient | None = None
    # Errors that a finding speaks of already: what else fails for the same reason only points at it.
    told: list[Exception] = field(default_factory=list)
    _known: dict[str, Any] = field(default_factory=dict)
    _failed: dict[str, Exception] = field(default_factory=dict)

    @property
    def shop(self) -> BigCommerceClient:
        """The store's client, in probes that only run where there is one."""
        assert self.bigcommerce is not None
        return self.bigcommerce

    @property
    def books(self) -> NetSuiteClient:
        """NetSuite's client, in probes that only run where there is one."""
        assert self.netsuite is not None
        return self.netsuite

    def store(self) -> Store:
        """`GET /v2/store`."""
        return self._once("store", self.shop.store)

    def shop_locations(self) -> list[Location]:
        """The store's stock locations."""
        return self._once("shop_locations", self.shop.locations)

    def channels(self) -> list[Channel]:
        """The store's channels."""
        return self._once("channels", self.shop.channels)

    def currencies(self) -> list[Currency]:
        """The store's currencies."""
        return self._once("currencies", self.shop.currencies)

    def books_locations(self) -> list[NetSuiteLocation]:
        """NetSuite's locations."""
        return self._once("books_locations", self.books.locations)

    def account_facts(self) -> AccountFacts:
        """What NetSuite's account can do, and its custom fields."""
        money = MONEY_TYPES if self.mapping.payouts.providers else ()
        return self._once("account_facts", lambda: self.books.account.facts((*RECORD_TYPES, *money)))

    def _once(self, name: str, read: Callable[[], T]) -> T:
        if name in self._failed:
            raise self._failed[name]
        if name not in self._known:
            try:
                self._known[name] = read()
            except OutsideError as error:
                self._failed[name] = error
                raise
        found: T = self._known[name]
        return found


@dataclass(frozen=True, slots=True)
class Probe:
    """One look. `needed`: a flow can't run where this fails to answer."""

    what: str
    look: Callable[[Patient], Iterable[Finding]]
    needed: bool = False


def examine(
    patient: Patient, name: str, entry: Sequence[Probe], probes: Sequence[Probe]
) -> Generator[Finding, None, bool]:
    """The findings of one system, probe by probe; returns whether it can be talked to at all.

    Where a finding of `entry` blocks, every other probe would only repeat it: they are left out in one line.
    """
    for number, probe in enumerate(entry):
        blocked = False
        for finding in _run(probe, patient):
            blocked = blocked or finding.level in STOPPING
            yield finding
        if blocked:
            left = ", ".join(one.what for one in (*entry[number + 1 :], *probes))
            yield Finding(
                f"{name}: the rest",
                "not looked at",
                f"Not known: {left}.",
                "Mend the line above.",
                Level.UNKNOWN,
            )
            return False
    for probe in probes:
        yield from _run(probe, patient)
    return True


def _run(probe: Probe, patient: Patient) -> Iterator[Finding]:
    level = Level.BLOCKED if probe.needed else Level.UNKNOWN
    try:
        yield from probe.look(patient)
    except BadInput as bad:
        # A malformed variable is told with the settings, and not once more by each probe that needs them.
        for fault in bad.faults:
            if fault not in patient.settings.faults:
                yield Finding(probe.what, fault, level=Level.BAD_INPUT)
    except OutsideError as error:
        if any(error is one for one in patient.told):
            yield Finding(
                probe.what, "not looked at", f"It needs {error.operation}, see above.", level=Level.UNKNOWN
            )
            return
        patient.told.append(error)
        again = "" if isinstance(error, Rejected) else "Try again in some minutes."
        yield Finding(probe.what, f"{error.operation}: {error.message}", "Not known.", again, level)
    except Exception as error:  # a fault of one probe must not hide what the others find
        # Its text is not shown: it may hold what was being handled, a secret included.
        where = _last_line(error)
        yield Finding(
            probe.what,
            f"the probe itself failed ({type(error).__name__} {where})",
            "Not known.",
            "Report it: this is a fault of bcns.",
            level,
        )


def _last_line(error: Exception) -> str:
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return "" if trace is None else f"at {trace.tb_frame.f_globals.get('__name__', '?')}:{trace.tb_lineno}"


def listed(values: Iterable[object], most: int = 6) -> str:
    """ "1, 2 and 4 more"."""
    texts = [str(value) for value in values]
    more = len(texts) - most
    return ", ".join(texts[:most]) + (f" and {more:,} more" if more > 0 else "") if texts else "none"
