"""The demo and `bcns dev`: that they end well, leave nothing behind, and would say so if a promise were broken.

Put here whole commands in processes of their own, and the comparison that the demo stands on. What the jobs do
is tested with the flow.
"""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import urlsplit

import pytest
import yaml

from bcns_pipeline.cli import local, receiving
from bcns_pipeline.cli.dagster_ui import DagsterUI
from bcns_pipeline.cli.demo import run_demo
from bcns_pipeline.cli.demo_stage import Stage, differing, told
from bcns_pipeline.cli.flows import StepLog
from bcns_pipeline.cli.people import SHARES, People
from bcns_pipeline.cli.truth import Line, compare
from bcns_pipeline.rules.faults import BadInput
from bcns_pipeline.sandbox.launch import Control, Sandbox
from bcns_pipeline.settings import load_settings

# Less than a minute on a quiet machine; CI and helpers may share two cores with much else.
DEMO_SECONDS = 1200
ROUTES = [{"netsuite": 1, "bigcommerce": 1}, {"netsuite": 6, "bigcommerce": 2}]


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """BCNS_HOME of a command, emptied with its database afterwards."""
    home = tmp_path / "home"
    yield home
    for one in home.glob("*/"):
        local.empty(one)


def start(home: Path, *arguments: str) -> subprocess.Popen[str]:
    """`bcns` in a process of its own, with nothing of ours in its environment but BCNS_HOME."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("BCNS_")}
    command = [sys.executable, "-c", "from bcns_pipeline.cli.main import main; main()", *arguments]
    return subprocess.Popen(
        command,
        env={**environment, "BCNS_HOME": str(home), "COLUMNS": "200"},
        cwd=home.parent,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


@pytest.mark.long
def test_the_demo_keeps_every_promise_on_a_small_catalogue_after_one_that_was_killed(home: Path) -> None:
    killed = start(home, "demo", "--skus", "500")
    assert killed.stdout is not None
    for line in killed.stdout:
        if "→ inventory_reconciliation" in line:
            break
    children = offspring(killed.pid)
    end(killed)
    deadline = time.monotonic() + 60
    while (left := [pid for pid in children if alive(pid)]) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert left == []

    demo = start(home, "demo", "--skus", "500")
    told, _ = demo.communicate(timeout=DEMO_SECONDS)
    assert demo.returncode == 0, told
    assert "✗" not in told
    assert "Warning" not in told
    assert "rows fetched = " in told, "what the steps say is shown while they work"
    assert "Demo time:" in told


def test_a_receiver_ends_with_whoever_started_it(sandbox: Sandbox) -> None:
    port = receiving.free_port()
    starting = "import os, subprocess, sys; subprocess.Popen([*sys.argv[1:], str(os.getpid())]); input()"
    receiver = [sys.executable, "-m", receiving.MODULE, str(port)]
    parent = subprocess.Popen([sys.executable, "-c", starting, *receiver], stdin=subprocess.PIPE)
    deadline = time.monotonic() + 60
    while not receiving.health(port) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert receiving.health(port)["status"] == "ok"
    end(parent)
    while receiving.health(port) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert receiving.health(port) == {}


def test_too_small_a_catalogue_is_refused_in_a_sentence() -> None:
    with pytest.raises(BadInput, match="500 or more"):
        run_demo(10)


@pytest.mark.long
def test_dev_switches_the_schedules_on_and_leaves_nothing_behind_when_it_is_told_to_end(home: Path) -> None:
    port = receiving.free_port()
    dev = start(home, "dev", "--skus", "50", "--port", str(port))
    assert dev.stdout is not None
    said = []
    for line in dev.stdout:
        said.append(line)
        if "Ctrl-C ends everything" in line:
            break
    assert dev.poll() is None, "".join(said)
    deadline = time.monotonic() + 120
    # A busy machine's webserver may not answer at once while the first runs start.
    while not (loaded := DagsterUI(port).repositories()) and time.monotonic() < deadline:
        time.sleep(0.5)
    schedules = loaded[0]["schedules"]
    assert {one["scheduleState"]["status"] for one in schedules} == {"RUNNING"}
    mapping = yaml.safe_load((home / "dev" / "bcns.yaml").read_text())
    receiver = urlsplit(mapping["intake"]["hooks"]["destination"])
    assert receiver.port is not None
    assert receiving.health(receiver.port)["status"] == "ok"
    children = offspring(dev.pid)
    assert len(children) > 4
    dev.send_signal(signal.SIGTERM)
    rest, _ = dev.communicate(timeout=120)
    assert dev.returncode == 0, "".join(said) + rest
    assert "Traceback" not in rest
    deadline = time.monotonic() + 60
    while (left := [pid for pid in children if alive(pid)]) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert left == []


def test_a_second_demo_beside_a_running_one_is_refused(
    home: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("BCNS_HOME", str(home))
    monkeypatch.chdir(tmp_path)
    with (
        local.private_home("demo"),
        pytest.raises(BadInput, match="running here already"),
        local.private_home("demo"),
    ):
        pass


def test_a_private_home_starts_empty_and_knows_nothing_of_the_callers_accounts(
    home: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("BCNS_HOME", str(home))
    monkeypatch.setenv("BCNS_SLACK_WEBHOOK_URL", "https://hooks.test/real")
    monkeypatch.setenv("DAGSTER_HOME", "/somewhere/real")
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env").write_text("BCNS_DATABASE_URL=postgresql://real@database/real\n")
    (home / "demo").mkdir(parents=True)
    (home / "demo" / "old").write_text("of an earlier run")
    with local.private_home("demo") as place:
        assert list(place.iterdir()) == []
        mapping = local.write_mapping(place, ROUTES).path
        variables = local.environment(place, mapping, {"BCNS_BIGCOMMERCE_STORE_HASH": "sandbox1"}, "demo")
        for name in list(os.environ):
            if name not in variables:
                monkeypatch.delenv(name)
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        monkeypatch.chdir(place)
        settings = load_settings()
    assert "DAGSTER_HOME" not in variables
    assert settings.slack_webhook_url is None
    assert settings.database_url is None
    assert settings.bigcommerce_store_hash == "sandbox1"


def test_a_broken_promise_is_told_and_counts(capsys: pytest.CaptureFixture[str]) -> None:
    stage = Stage(sandbox=None, instance=None)  # type: ignore[arg-type]
    stage.promise("the sun rises", kept=True)
    assert stage.all_kept()
    stage.promise("pigs fly", False, "they walk")
    assert not stage.all_kept()
    said = capsys.readouterr().out
    assert "pigs fly: they walk" in said
    assert "1 of 2 promises kept" in said


BOOKS: Mapping[str, Any] = {
    "items": [
        {"item": 1, "sku": "A", "type": "InvtPart", "matrix": None, "inactive": False},
        {"item": 2, "sku": "B", "type": "InvtPart", "matrix": "CHILD", "inactive": False},
        {"item": 3, "sku": "KIT", "type": "Kit", "matrix": None, "inactive": False},
        {"item": 4, "sku": "TWICE", "type": "InvtPart", "matrix": None, "inactive": False},
        {"item": 5, "sku": "twice", "type": "InvtPart", "matrix": None, "inactive": False},
        {"item": 6, "sku": "OLD", "type": "InvtPart", "matrix": None, "inactive": True},
        {"item": 7, "sku": "STYLE", "type": "InvtPart", "matrix": "PARENT", "inactive": False},
    ],
    "levels": [
        {"item": 1, "location": 1, "available": 10.75},
        {"item": 1, "location": 6, "available": -4.0},
        {"item": 2, "location": 1, "available": 8.0},
    ],
    "members": [{"kit": 3, "item": 1, "quantity": 4.0}, {"kit": 3, "item": 2, "quantity": 2.0}],
}


def shop(**stock: tuple[int, int]) -> list[dict[str, Any]]:
    return [{"sku": sku, "on_hand": {"1": one, "2": two}} for sku, (one, two) in stock.items()]


def test_the_truth_floors_clamps_counts_kits_and_leaves_out_what_has_no_sku_of_its_own() -> None:
    shown = shop(a=(10, 0), B=(8, 0), KIT=(2, 0), TWICE=(7, 7), OLD=(3, 3), STYLE=(1, 1), ONLY=(9, 9))
    lines = compare(BOOKS, shown, ROUTES)
    assert {(line.sku, line.location): line.should for line in lines} == {
        ("A", 1): 10,
        ("A", 2): 0,
        ("B", 1): 8,
        ("B", 2): 0,
        ("KIT", 1): 2,
        ("KIT", 2): 0,
    }
    assert differing(lines) == []


def test_the_truth_names_what_the_shop_shows_wrong() -> None:
    wrong = differing(compare(BOOKS, shop(A=(11, 0), KIT=(2, 1)), ROUTES))
    assert wrong == [Line("A", 1, 10, 11), Line("KIT", 2, 0, 1)]
    assert told(wrong) == "A in 1 shows 11 and should 10, KIT in 2 shows 1 and should 0"


def test_what_a_step_says_is_shown_and_an_event_of_dagsters_is_not(
    capsys: pytest.CaptureFixture[str],
) -> None:
    handler = StepLog()
    for event, message in ((None, "read 25,000 stock rows"), (object(), "Started execution of step")):
        record = logging.makeLogRecord({"msg": message, "levelno": logging.INFO})
        record.dagster_meta = {"dagster_event": event, "orig_message": message}
        handler.handle(record)
        assert record.levelno == logging.NOTSET, "Dagster's console would repeat it"
    assert capsys.readouterr().out == "  read 25,000 stock rows\n"


def test_people_do_everything_that_is_on_their_list(sandbox: Sandbox) -> None:
    said, people = life(sandbox)
    for number in range(120):
        people.act(float(number))
    words = ("in the shop:", "receives", "counts", "by hand", "takes one unit off")
    assert [word for word in words if not any(word in line for line in said)] == []
    assert set(SHARES) == {"order", "awkward", "edit", "refund", "receipt", "count", "hand_edit"}
    assert sandbox.control.transactions(type="salesOrder") == [], "orders are the pipeline's to carry over"


class Typed(Control):
    """Orders that somebody typed into NetSuite carry no external id; here it is known which is whose."""

    ids: ClassVar[dict[str, int]] = {}

    def transactions(self, **wanted: Any) -> Any:
        key = wanted.pop("externalid", None)
        if key is not None and key not in self.ids:
            return []
        return super().transactions(**({"id": self.ids[key]} if key else wanted))


def test_the_warehouse_ships_an_order_once_it_is_in_netsuite_and_numbers_come_late(sandbox: Sandbox) -> None:
    said, people = life(sandbox)
    people.control = Typed(sandbox.control.url)
    line = {"sku": people.skus[0], "quantity": 2}
    placed = [people._place(0.0, "plain", "2 of it", lines=[line]) for _ in range(8)]
    people.keep_promises(1_000.0)
    assert not any("ships" in line for line in said), "NetSuite does not know them yet"
    for order in placed:
        assert order is not None
        typed = sandbox.control.post_order(**line, location=people.routes[0]["netsuite"])
        Typed.ids[f"bc-{people.store}-order-{order['id']}"] = typed["transaction_id"]
    for moment in (2_000.0, 3_000.0, 4_000.0):
        people.keep_promises(moment)
    words = ("ships order", "ships a part of order", "number comes later", "the carrier's number for order")
    assert [word for word in words if not any(word in line for line in said)] == []
    orders = {one["id"] for one in sandbox.control.transactions(type="salesOrder")}
    assert {one["created_from"] for one in sandbox.control.transactions(type="itemFulfillment")} == orders
    for _ in placed:
        people._give_back()
    assert any("are refunded in the shop" in line for line in said)
    assert people.shipped == []


def test_providers_pay_out_what_is_old_enough_and_the_bank_and_the_controller_follow(
    sandbox: Sandbox,
) -> None:
    said, people = life(sandbox)
    closed = []
    people.close = lambda: closed.append(True)
    sandbox.control.bulk_charges(3)
    people._payday(0.0)
    assert [one.what for one in people.plans] == ["approve", "statement", "close", "payday"]
    assert said == [], "nothing is old enough"
    sandbox.control.clock(offset_seconds=-600)
    for provider in ("stripe", "paypal"):
        sandbox.control.bulk_charges(2, provider=provider)
    sandbox.control.clock(offset_seconds=0)
    people.keep_promises(1_000.0)
    paid = [(one["provider"], one["count"]) for one in sandbox.control.payouts_state()]
    assert sorted(paid) == [("paypal", 2), ("stripe", 2)]
    people.keep_promises(2_000.0)
    assert any("the bank drops statement-USD" in line for line in said)
    assert closed == [True, True]


def test_a_deposit_comes_and_a_new_item_is_born_after_the_orders_that_wait_for_them(sandbox: Sandbox) -> None:
    said, people = life(sandbox)
    people.kinds = ["awaiting_payment", "unmapped_sku"]
    for _ in range(6):
        people._awkward(0.0)
    people.keep_promises(1_000.0)
    words = ("the deposit for order", "is created in NetSuite")
    assert [word for word in words if not any(word in line for line in said)] == []


def life(sandbox: Sandbox) -> tuple[list[str], People]:
    """People in a shop and warehouse with enough of everything, where nothing has happened yet; what they say."""
    sandbox.control.seed()
    said: list[str] = []
    shown = [row["sku"] for row in sandbox.control.inventory()]
    sandbox.control.edit([{"sku": sku, "location_id": 1, "quantity": 500} for sku in shown])
    sandbox.control.reset_stock(on_hand=500)
    store = sandbox.env["BCNS_BIGCOMMERCE_STORE_HASH"]
    return said, People(sandbox.control, sandbox.locations, store, 7, said.append)


def end(process: subprocess.Popen[Any]) -> None:
    """kill -9, and no pipe of it is left."""
    process.kill()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            pipe.close()
    process.wait()


def offspring(pid: int) -> list[int]:
    """Every process that descends from `pid`; the keeper of the database, which outlives all, is none."""
    parents: dict[int, list[int]] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((folder / "stat").read_text().rsplit(")", 1)[1].split()[1])
        except (FileNotFoundError, ProcessLookupError):
            continue
        parents.setdefault(parent, []).append(int(folder.name))
    found, open_ones = [], [pid]
    while open_ones:
        children = parents.get(open_ones.pop(), [])
        found += children
        open_ones += children
    return found


def alive(pid: int) -> bool:
    """Whether it still runs; a zombie that nobody has waited for does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False
