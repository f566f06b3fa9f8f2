"""Accounting periods, and whether a posting may land in one.

Put opening, locking and closing here. Do not put what posts here. Closed: nobody posts; locked: a role needs
"Override Period Restrictions", which the integration's role does not have (facts/netsuite.md 4).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from bcns_pipeline.sandbox.netsuite.database import Database
from bcns_pipeline.sandbox.netsuite.errors import Refused, period

STATES = ("open", "locked", "closed")


@dataclass(slots=True)
class Period:
    """One month."""

    id: int
    name: str
    start: date
    end: date
    state: str


class Periods:
    """The periods of one account."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._periods: list[Period] = []

    def load(self) -> None:
        """Read them from the tables, as after a new seed."""
        self._periods = [
            Period(row[0], row[1], row[2].date(), row[3].date(), "closed" if row[4] == "T" else "open")
            for row in self._database.rows(
                "SELECT id, periodname, startdate, enddate, closed FROM ns.accountingperiod ORDER BY startdate"
            )
        ]

    def of(self, day: date) -> Period | None:
        """The period of a day."""
        return next((one for one in self._periods if one.start <= day <= one.end), None)

    def check(self, day: date) -> None:
        """Refuse a posting on a day whose period takes none, or that has no period."""
        found = self.of(day)
        if found is None:
            raise Refused(
                "USER_ERROR", f"There is no open period for the date {day.isoformat()}.", "tranDate"
            )
        if found.state != "open":
            raise period(found.name, found.state)

    def set(self, month: date, state: str) -> Period:
        """Open, lock or close the month of a day. Raises `ValueError` where there is none such."""
        found = self.of(month)
        if state not in STATES or found is None:
            raise ValueError(
                f"A period is {', '.join(STATES)}, in a month that the account has; not {state}."
            )
        found.state = state
        closed = "T" if state == "closed" else "F"
        held = "F" if state == "open" else "T"
        self._database.write(
            """UPDATE ns.accountingperiod SET closed = ?, alllocked = ?, arlocked = ?, aplocked = ?
               WHERE id = ?""",
            [closed, held, held, held, found.id],
        )
        return found
