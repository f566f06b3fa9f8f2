"""Long IN lists, taken out of a query's text before it is translated and put back after.

Put the shortening here. Do not put translation here (suiteql.py). Texts that differ in such a list only are one
text then, whose translation is kept: translating 500 ids anew takes 150 ms, putting them back takes none.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from bcns_pipeline.sandbox.netsuite.errors import SuiteQLError

MOST = 1000
# At least eight numbers or parameters; a shorter list costs little.
LIST = re.compile(r"\bIN\s*\(\s*((?:\d+\s*,\s*){7,}\d+|(?:\?\s*,\s*){7,}\?)\s*\)", re.IGNORECASE)
# Stands for a list of numbers; nobody asks for this one.
SENTINEL = 987_654_321_000


@dataclass(slots=True)
class Short:
    """A query with its long lists taken out.

    `numbers` are the lists of numbers, in the order of the text. `sizes` says which parameter of the short text
    stands for how many.
    """

    text: str
    numbers: list[str] = field(default_factory=list)
    sizes: dict[int, int] = field(default_factory=dict)

    def expand(self, sql: str) -> str:
        """DuckDB's text with the lists put back; a list of parameters becomes $p3_0, $p3_1, ..."""
        for place, listed in enumerate(self.numbers):
            sql = sql.replace(str(SENTINEL + place), listed)
        for place, size in self.sizes.items():
            names = ", ".join(f"$p{place}_{k}" for k in range(size))
            sql = re.sub(rf"\$p{place}\b", names, sql)
        return sql


def shorten(text: str) -> Short:
    """Take the long lists out of a query's text; `SuiteQLError` where one is too long."""
    short = Short(text)
    if not LIST.search(text):
        return short
    pieces: list[str] = []
    place = 0
    for number, part in enumerate(text.split("'")):
        if number % 2:
            pieces.append(part)
            continue
        last, made = 0, []
        for found in LIST.finditer(part):
            before = part[last : found.start()]
            place += before.count("?")
            size = found[1].count(",") + 1
            if size > MOST:
                raise SuiteQLError(
                    f"Invalid or unsupported search. The maximum number of arguments of IN is {MOST}."
                )
            if found[1].startswith("?"):
                short.sizes[place] = size
                place += 1
                made += [before, "IN (?)"]
            else:
                made += [before, f"IN ({SENTINEL + len(short.numbers)})"]
                short.numbers.append(found[1])
            last = found.end()
        place += part[last:].count("?")
        pieces.append("".join([*made, part[last:]]))
    short.text = "'".join(pieces)
    return short
