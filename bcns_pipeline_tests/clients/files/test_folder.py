"""What waits in a drop folder, and where it goes."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bcns_pipeline.clients.files import folder as folder_module
from bcns_pipeline.clients.files.folder import DropFolder
from bcns_pipeline.clients.files.models import BadFile

NOW = 1_772_600_000.0


@pytest.fixture
def drop(tmp_path: Path) -> DropFolder:
    return DropFolder(tmp_path, "drop/payouts", wall=lambda: NOW)


def put(drop: DropFolder, name: str, content: bytes = b"x", age: float = 60.0) -> Path:
    path = drop.path / name
    path.write_bytes(content)
    os.utime(path, (NOW - age, NOW - age))
    return path


def test_whole_files_wait_oldest_first(drop: DropFolder) -> None:
    put(drop, "b.csv", age=10)
    put(drop, "a.csv", age=20)
    put(drop, "fresh.csv", age=1)
    put(drop, "copying.csv.part")
    put(drop, ".hidden")
    (drop.path / "done").mkdir()
    assert [path.name for path in drop.waiting()] == ["a.csv", "b.csv"]
    assert drop.counts() == (4, 0)


def test_a_document_is_the_bytes_with_hash_origin_and_time(drop: DropFolder) -> None:
    document = drop.read(put(drop, "a.csv", b"a,b\n"))
    assert (document.origin, document.name, document.content) == ("drop/payouts", "a.csv", b"a,b\n")
    assert document.fetched_at == datetime.fromtimestamp(NOW, UTC)
    assert document.sha256.startswith("5be08c9684a1d25e")


def test_no_file_is_written_over(drop: DropFolder) -> None:
    moved = [drop.done(put(drop, "a.csv", content)) for content in (b"1", b"2", b"3")]
    assert [path.name for path in moved] == ["a.csv", "a-2.csv", "a-3.csv"]
    assert [path.read_bytes() for path in moved] == [b"1", b"2", b"3"]
    assert drop.waiting() == []


def test_a_rejected_file_has_its_reason_beside_it(drop: DropFolder) -> None:
    moved = drop.reject(put(drop, "a.csv"), "a.csv, row 3: the file is cut off.")
    assert moved == drop.path / "rejected" / "a.csv"
    assert (drop.path / "rejected" / "a.csv.reason.txt").read_text() == "a.csv, row 3: the file is cut off.\n"
    assert drop.counts() == (0, 1)


def test_a_file_that_no_provider_writes_is_not_read(
    drop: DropFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folder_module, "LARGEST_BYTES", 3)
    with pytest.raises(BadFile, match=r"big\.csv: 4 bytes"):
        drop.read(put(drop, "big.csv", b"1234"))


def test_a_file_that_is_not_ours_to_read_is_told_like_a_bad_one(
    drop: DropFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = put(drop, "theirs.csv", b"1")

    def refused(_: Path) -> bytes:
        raise PermissionError

    # A test may run as root, who may read everything.
    monkeypatch.setattr(Path, "read_bytes", refused)
    with pytest.raises(BadFile, match=r"theirs\.csv: this user may not read it"):
        drop.read(path)


def test_a_folder_that_is_not_there_is_an_error_and_not_empty(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        DropFolder(tmp_path / "nowhere", "drop/payouts").waiting()
