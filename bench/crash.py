"""The crash test at length: `python -m bench.crash --rounds 50`. A line a round, then a summary; exits 1 if anything is lost."""

from __future__ import annotations

import argparse
import random
import statistics
import sys
import tempfile
from pathlib import Path

from tests.crash.harness import Ledger, Server, prepare, round_of_load


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("options", nargs="*", help="further options of `cloudlet start`, after --")
    given = parser.parse_args()
    reports = []
    with tempfile.TemporaryDirectory() as folder:
        server = Server(Path(folder) / "data", *given.options)
        server.start()
        prepare(server)
        ledger, chance = Ledger(), random.Random()
        for number in range(given.rounds):
            report = round_of_load(server, ledger, f"r{number}", chance.uniform(0.1, 1.0))
            reports.append(report)
            told = f"{report.acknowledged} acknowledged, {len(report.missing)} missing, {len(report.broken)} broken"
            print(f"round {number + 1}: {told}, ready after {report.restart_seconds:.2f} s", flush=True)
        server.stop()
    lost = sum(len(report.missing) + len(report.broken) for report in reports)
    restarts = [report.restart_seconds for report in reports]
    total = sum(report.acknowledged for report in reports)
    print(f"{given.rounds} rounds, {total} acknowledged, {lost} lost or broken")
    print(f"restart to the first answer: {statistics.median(restarts):.2f} s, at most {max(restarts):.2f} s")
    return 1 if lost else 0


if __name__ == "__main__":
    sys.exit(main())
