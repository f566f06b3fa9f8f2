"""The bench is run by hand, so a name that moves away from under it is noticed here."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

MODULES = sorted(one.stem for one in (Path(__file__).parent / "bench").glob("[a-z]*.py"))


@pytest.mark.parametrize("name", MODULES)
def test_every_module_of_the_bench_finds_what_it_imports(name: str) -> None:
    importlib.import_module(f"bcns_pipeline_tests.bench.{name}")
