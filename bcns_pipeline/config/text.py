"""The mapping file as text: read once, with the line of every key, and its faults as sentences.

Put YAML and wording here. Do not put a key's meaning or default here (`models.py`). A fault says where it
is (file, line, key), what is wrong and how to mend it, because whoever writes this file is not whoever
wrote this code.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, get_args

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from bcns_pipeline.rules.faults import BadInput

Key = tuple[Hashable, ...]

# Ten times as fast, where PyYAML was built with it; every run and every command reads the file.
_FAST: Final[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

_EXPECTED: Final = {
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "string_type": "text",
    "tuple_type": "a list such as [1, 6]",
    "dict_type": "a group of keys",
    "model_type": "a group of keys",
    "string_pattern_mismatch": "lower-case letters, digits and _, beginning with a letter",
    "finite_number": "a finite number",
    "decimal_parsing": "a number",
    "decimal_type": "a number",
}


class Several(ValueError):
    """More than one fault in one value; each becomes a sentence of its own."""

    def __init__(self, faults: Sequence[str]) -> None:
        super().__init__(*faults)
        self.faults = tuple(faults)


@dataclass(frozen=True, slots=True)
class MappingText:
    """The file's content as plain Python, the line of each key, and faults seen before any meaning."""

    name: str
    content: Any
    lines: dict[Key, int]
    faults: tuple[str, ...]

    def line(self, path: Key) -> int:
        """The line of `path`, or of what is around it where it is not in the file; 0 = the whole file."""
        for length in range(len(path), 0, -1):
            if path[:length] in self.lines:
                return self.lines[path[:length]]
        return 0

    def place(self, path: Key) -> str:
        """ "bcns.yaml, line 12", as near to `path` as the file goes."""
        line = self.line(path)
        return f"{self.name}, line {line}" if line else self.name


def text_of(path: Path) -> str:
    """What the file holds; raises BadInput where it can't be read."""
    try:
        return path.read_text("utf-8")
    except FileNotFoundError:
        raise _bad(
            f"{path} does not exist; copy the repository's bcns.yaml there, or set BCNS_CONFIG."
        ) from None
    except UnicodeDecodeError:
        raise _bad(f"{path.name} is not UTF-8 text; save it as such.") from None
    except OSError as error:
        raise _bad(f"{path} can't be read ({error.strerror}); name a file that this user may read.") from None


def read_mapping_text(name: str, text: str) -> MappingText:
    """Read YAML of the file of that name; raises BadInput where it is no YAML at all."""
    try:
        loader, root = _parsed(text)
        if root is None:
            return MappingText(name, {}, {}, ())
        lines: dict[Key, int] = {}
        faults = list(_walk(loader, root, (), (), lines, name))
        content = loader.construct_document(root)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"{name}, line {mark.line + 1}" if mark else name
        raise _bad(
            f"{where}: this is not YAML ({error.problem}); check indentation, colons and brackets."
        ) from None
    except yaml.YAMLError:
        raise _bad(f"{name} has characters that YAML does not allow; save it as plain UTF-8 text.") from None
    except ValueError as error:
        raise _bad(f"{name} has a date that does not exist ({error}); write it as 2026-01-31.") from None
    return MappingText(name, content, lines, tuple(faults))


def _parsed(text: str) -> tuple[Any, yaml.Node | None]:
    """The loader and the file's root; raises YAMLError."""
    try:
        loader = _FAST(text)
        return loader, loader.get_single_node()
    except yaml.YAMLError:
        # The other one says better what is wrong, and in which line.
        loader = yaml.SafeLoader(text)
        return loader, loader.get_single_node()


def _bad(fault: str) -> BadInput:
    return BadInput([fault])


def _walk(
    loader: Any,
    node: yaml.Node,
    path: Key,
    above: tuple[yaml.Node, ...],
    lines: dict[Key, int],
    name: str,
) -> Iterator[str]:
    """Note the line of every key; yield what YAML itself would let pass: keys given twice."""
    if node in above:
        raise yaml.MarkedYAMLError(problem="an alias refers to itself", problem_mark=node.start_mark)
    inside = (*above, node)
    if isinstance(node, yaml.SequenceNode):
        for place, item in enumerate(node.value):
            lines[(*path, place)] = item.start_mark.line + 1
            yield from _walk(loader, item, (*path, place), inside, lines, name)
    elif isinstance(node, yaml.MappingNode):
        seen: set[Hashable] = set()
        for key_node, value in node.value:
            key = loader.construct_object(key_node, deep=True)
            if not isinstance(key, Hashable):
                raise yaml.MarkedYAMLError(problem="a list can't be a key", problem_mark=key_node.start_mark)
            here, line = (*path, key), key_node.start_mark.line + 1
            if key in seen:
                yield f"{name}, line {line}: {dotted(here)} is given twice; keep one of them."
            seen.add(key)
            lines[here] = line
            yield from _walk(loader, value, here, inside, lines, name)


def sentences(text: MappingText, error: ValidationError, model: type[BaseModel]) -> list[str]:
    """One sentence per fault, in the order of the file's lines."""
    found: dict[Key, list[ErrorDetails]] = {}
    for detail in error.errors(include_url=False):
        if detail["type"] == "too_short" and len(detail["input"]) >= detail["ctx"]["min_length"]:
            continue  # only its faulty items are missing, and each of them has a sentence
        found.setdefault(_path(text.content, detail), []).append(detail)
    return [
        f"{text.place(path)}: {sentence}"
        for path, details in sorted(found.items(), key=lambda fault: text.line(fault[0]))
        for sentence in _sentences(path, details, model)
    ]


def _path(content: Any, detail: ErrorDetails) -> Key:
    """Where the fault is in the file: pydantic also names the branch of a union, which no merchant wrote."""
    loc: Key = detail["loc"]
    path: list[Hashable] = []
    for part in loc:
        inside = isinstance(content, dict) and part in content
        listed = isinstance(content, list) and isinstance(part, int) and part < len(content)
        if not (inside or listed):
            if detail["type"] == "missing" or part == loc[0]:
                path.append(part)
            elif detail["type"] == "value_error" and isinstance(content, dict):
                path.append(part)  # a default that contradicts another key
            break
        path.append(part)
        content = content[part]
    return tuple(path)


def _sentences(path: Key, details: Sequence[ErrorDetails], model: type[BaseModel]) -> Iterable[str]:
    first, name = details[0], dotted(path) or "the file"
    kind = first["type"]
    if kind == "value_error":
        problem = first["ctx"]["error"]
        for fault in problem.faults if isinstance(problem, Several) else [str(problem)]:
            yield f"{name}: {fault}."
    elif kind == "extra_forbidden":
        near = difflib.get_close_matches(str(path[-1]), _keys(model, path[:-1]), n=1)
        yield f"{name} is no key of this file; " + (f"did you mean {near[0]}?" if near else "remove it.")
    elif kind == "missing":
        yield f"{name} is missing; add it."
    else:
        # The branches of a union each have an opinion; together they say what is possible.
        wanted = " or ".join(dict.fromkeys(_expected(detail) for detail in details))
        yield f"{name} must be {wanted}, not {_shown(first['input'])}."


def _expected(detail: ErrorDetails) -> str:
    kind, facts = detail["type"], detail.get("ctx", {})
    if "[key]" in detail["loc"]:
        return "keyed by " + {"int_type": "whole numbers", "string_type": "text"}.get(kind, "ids from 1 on")
    if kind == "literal_error":
        return str(facts["expected"]).replace("'", "")
    if kind.startswith("date"):
        return "a date such as 2026-01-31"
    bounds = {
        "greater_than_equal": ("ge", "at least {}"),
        "greater_than": ("gt", "more than {}"),
        "less_than_equal": ("le", "at most {}"),
        "too_short": ("min_length", "a list of at least {}"),
        "string_too_long": ("max_length", "text of at most {} characters"),
    }
    if kind in bounds:
        fact, wording = bounds[kind]
        limit = facts[fact]
        return wording.format(int(limit) if limit == int(limit) else limit)
    return _EXPECTED.get(kind, detail["msg"])


def _shown(value: Any) -> str:
    text = "nothing" if value is None else json.dumps(value, default=str, ensure_ascii=False)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _keys(model: type[BaseModel], path: Key) -> list[str]:
    """The keys that are possible at `path`."""
    for part in path:
        field = model.model_fields.get(str(part))
        if field is not None:
            model = next(_models(field.annotation), model)
    return [field.alias or name for name, field in model.model_fields.items()]


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _models(argument)


def dotted(path: Key) -> str:
    """("inventory", "locations", 0, "netsuite") -> "inventory.locations[0].netsuite"."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).removeprefix(".")
