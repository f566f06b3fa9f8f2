"""Pages of BigCommerce's lists.

Put reading of `page`, `limit` and list filters, and the pagination object, here. Do not put any list here.
Source: facts/bigcommerce.md 1.5; a limit above the maximum is refused with 413.
"""

from __future__ import annotations

from dataclasses import dataclass

from bcns_pipeline.sandbox.bigcommerce import errors
from bcns_pipeline.sandbox.web import Answer, Call


class Refusal(Exception):
    """A call that is answered with an error from deep inside."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.status)
        self.answer = answer


@dataclass(frozen=True, slots=True)
class Window:
    """The part of a list that was asked for."""

    page: int
    limit: int

    @property
    def start(self) -> int:
        """Place of the first row."""
        return (self.page - 1) * self.limit

    @property
    def end(self) -> int:
        """Place behind the last row."""
        return self.page * self.limit


def window(call: Call, default: int, most: int) -> Window:
    """`page` and `limit`; raises `Refusal`."""
    try:
        page, limit = int(call.query.get("page") or 1), int(call.query.get("limit") or default)
    except ValueError as fault:
        raise Refusal(errors.problem(422, "page and limit must be integers")) from fault
    if page < 1 or limit < 1:
        raise Refusal(errors.problem(422, "page and limit must be at least 1"))
    if limit > most:
        raise Refusal(errors.problem(413, f"The limit must not be larger than {most}"))
    return Window(page, limit)


def integers(call: Call, name: str) -> list[int] | None:
    """A filter such as `product_id:in`; None where it is not given. Raises `Refusal`."""
    raw = call.query.get(name)
    if raw is None:
        return None
    try:
        return [int(part) for part in raw.split(",") if part.strip()]
    except ValueError as fault:
        raise Refusal(errors.problem(422, f"The filter {name} takes integers")) from fault


def texts(call: Call, name: str) -> list[str] | None:
    """A filter such as `sku:in`; a comma always divides, so a SKU with a comma in it can't be asked for."""
    raw = call.query.get(name)
    return None if raw is None else [part for part in raw.split(",") if part]


def pagination(asked: Window, count: int, total: int) -> str:
    """The `meta` object as JSON text."""
    pages = max(-(-total // asked.limit), 1)
    links = {"current": asked.page}
    if asked.page > 1:
        links["previous"] = asked.page - 1
    if asked.page < pages:
        links["next"] = asked.page + 1
    shown = ",".join(f'"{name}":"?page={page}&limit={asked.limit}"' for name, page in links.items())
    return (
        f'{{"pagination":{{"total":{total},"count":{count},"per_page":{asked.limit},"current_page":{asked.page},'
        f'"total_pages":{pages},"links":{{{shown}}}}}}}'
    )


def listing(asked: Window, rows: list[str], total: int) -> Answer:
    """A v3 list of rows that are JSON already."""
    body = f'{{"data":[{",".join(rows)}],"meta":{pagination(asked, len(rows), total)}}}'
    return Answer(200, body.encode())
