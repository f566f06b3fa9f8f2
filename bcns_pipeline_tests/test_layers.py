"""Habits that no linter of ours knows: what may stand in which file.

Put here rules about the text of the source. Which room may import which is import-linter's (pyproject.toml).
"""

from __future__ import annotations

import ast
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1] / "bcns_pipeline"
TESTS = Path(__file__).resolve().parent
MODULES = sorted(PACKAGE.rglob("*.py"))
SEEN_BY_DAGSTER = [
    PACKAGE / "definitions.py",
    *(PACKAGE / "defs").rglob("*.py"),
    *(PACKAGE / "resources").rglob("*.py"),
]
FUTURE = "from __future__ import annotations"


def name(path: Path) -> str:
    return str(path.relative_to(PACKAGE.parent))


def test_what_dagster_inspects_has_real_annotations() -> None:
    wrong = [name(path) for path in SEEN_BY_DAGSTER if FUTURE in path.read_text()]
    assert wrong == [], f"Dagster reads annotations as objects: no {FUTURE!r} here"


def test_every_module_says_what_belongs_in_it() -> None:
    texts = {path: path.read_text() for path in MODULES}
    silent = [
        name(path) for path, text in texts.items() if text.strip() and not ast.get_docstring(ast.parse(text))
    ]
    assert silent == [], "modules without a docstring"


def test_an_init_file_holds_nothing_or_only_what_it_hands_on() -> None:
    for path in PACKAGE.rglob("__init__.py"):
        tree = ast.parse(path.read_text())
        kinds = {type(node) for node in tree.body}
        assert kinds <= {ast.Expr, ast.ImportFrom, ast.Assign}, name(path)


def test_no_file_is_longer_than_a_person_can_keep_in_mind() -> None:
    long = {name(path): lines for path in MODULES if (lines := len(path.read_text().splitlines())) > 400}
    assert long == {}


def test_the_clients_delete_nothing_but_our_own_hooks() -> None:
    for path in (PACKAGE / "clients").rglob("*.py"):
        if name(path).endswith("bigcommerce/hooks.py"):
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef):
                assert "delete" not in node.name, f"{name(path)}: {node.name}"
            if isinstance(node, ast.Constant):
                assert node.value != "DELETE", name(path)


def test_no_test_patches_what_it_tests() -> None:
    for path in TESTS.rglob("*.py"):
        if path != Path(__file__):
            assert "unittest.mock" not in path.read_text(), path.name
