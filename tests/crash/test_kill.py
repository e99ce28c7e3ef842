"""`kill -9` under load: nothing acknowledged is lost, nothing is half done. bench/crash.py runs more rounds."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.crash.harness import Ledger, Server, prepare, round_of_load

ROUNDS = 3


@pytest.mark.crash
@pytest.mark.parametrize(
    "options", [(), ("--workers", "2"), ("--durability", "disk")], ids=["one process", "two workers", "disk"]
)
def test_nothing_acknowledged_is_lost(tmp_path: Path, options: tuple[str, ...]) -> None:
    server = Server(tmp_path / "data", *options)
    server.start()
    prepare(server)
    ledger, chance = Ledger(), random.Random(1)
    reports = [round_of_load(server, ledger, f"r{number}", chance.uniform(0.2, 0.6)) for number in range(ROUNDS)]
    server.stop()
    assert all(report.acknowledged > 0 for report in reports)
    assert [(report.missing, report.broken) for report in reports] == [([], [])] * ROUNDS
