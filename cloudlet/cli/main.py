"""The `cloudlet` command."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Sequence
from typing import NoReturn

from cloudlet import __version__

_EPILOG = "Documentation: docs/tour.md. Settings of LocalStack (SERVICES, PERSISTENCE, GATEWAY_LISTEN, ...) are read, too."


class _Parser(argparse.ArgumentParser):
    """An argument parser whose complaint is one line."""

    def error(self, message: str) -> NoReturn:
        print(f"cloudlet: {message} (see cloudlet --help)", file=sys.stderr)
        sys.exit(2)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit status. Each command's module is loaded only when it is called."""
    given = _parser().parse_args(arguments)
    module, _, function = given.run.partition(":")
    try:
        status: int = getattr(importlib.import_module(module), function)(given, os.environ)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        return 0
    return status


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="cloudlet", description="A whole AWS cloud in one process.", epilog=_EPILOG)
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True, parser_class=_Parser)
    _add_start(commands)
    client = "cloudlet.cli.client"
    _command(commands, "stop", f"{client}:stop", "end a running server")
    status = _command(commands, "status", f"{client}:status", "tell whether a server runs, and how")
    status.add_argument("what", nargs="?", choices=["services"], help="the state of every service")
    wait = _command(commands, "wait", f"{client}:wait", "wait until a server is ready")
    wait.add_argument("-t", "--timeout", type=float, default=60.0, metavar="SECONDS")
    logs = _command(commands, "logs", f"{client}:logs", "show the log of a server started with -d")
    logs.add_argument("-f", "--follow", action="store_true", help="go on as it grows")
    _command(commands, "reset", f"{client}:reset", "forget all state")
    _command(commands, "services", f"{client}:services", "list the operations of every service, done and missing")
    _command(commands, "env", f"{client}:env", "print the AWS_* variables for a shell: eval $(cloudlet env)")
    clock = _command(commands, "clock", f"{client}:clock", "show or move the clock")
    clock.add_argument("action", choices=["show", "advance", "freeze", "resume"])
    clock.add_argument("duration", nargs="?", help="for advance: 90s, 15m, 24h, 7d")
    version = commands.add_parser("version", help="print the version")
    version.set_defaults(run=f"{client}:version")
    return parser


def _command(commands: argparse._SubParsersAction[_Parser], name: str, run: str, text: str) -> argparse.ArgumentParser:
    """A command that talks to a running server."""
    made: argparse.ArgumentParser = commands.add_parser(name, help=text, description=text)
    made.add_argument("--endpoint", help="where the server is (default: $CLOUDLET_ENDPOINT, or http://localhost:4566)")
    made.set_defaults(run=run)
    return made


def _add_start(commands: argparse._SubParsersAction[_Parser]) -> None:
    start = commands.add_parser("start", help="run a server", description="Run a server until it is stopped.")
    start.set_defaults(run="cloudlet.cli.serve:start")
    start.add_argument("-d", "--detach", action="store_true", help="run in the background; returns when it is ready")
    start.add_argument("--host", help="address to listen on (default localhost)")
    start.add_argument("--port", type=int, help="port to listen on (default 4566)")
    start.add_argument("--s3-port", type=int, metavar="PORT", help="a second port, for clients that expect S3 on its own")
    start.add_argument("--data", metavar="DIR", help="where the state lies (default ./.cloudlet)")
    start.add_argument("--ephemeral", action="store_true", help="keep the state in a temporary folder that goes with the server")
    start.add_argument("--durability", metavar="process|disk", help="what survives: kill -9 (default), or a power cut as well")
    start.add_argument("--workers", type=int, default=1, metavar="N", help="processes that share the port and the state")
    start.add_argument("--services", metavar="A,B", help="serve these only (default: all)")
    start.add_argument("--verify-signatures", action="store_true", help="refuse requests whose signature is wrong")
    start.add_argument("--debug", action="store_true", help="log more")
