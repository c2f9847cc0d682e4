"""``opdash sandbox``: runs the sandbox Open Payments server by itself."""

from __future__ import annotations

from pathlib import Path

from opdash.cli.options import CommandParser, UsageError

_MOST_PAYMENTS = 2_000_000
_YEAR = 366 * 86_400
_PAYER = """\
the payer
  pays what a client creates in parts within ten seconds, unless the payment's metadata holds
  "sandboxPayer": "full", "parts", "part" (one and no more), "over", "late" or "never".
"""
_CONTROL = """\
requests of the sandbox's own, in JSON
  POST /sandbox/pay    {"payment": URL, "amount": "1250", "packets": 3}  only the URL is needed
  POST /sandbox/clock  {"advance": SECONDS}
  GET  /sandbox/state  the truth; with ?payment=URL about one payment
and what can go wrong
  POST /sandbox/consent  {"decide": "ask" | "allow" | "deny", "free_lists": true}
  POST /sandbox/outage   {"down": ["authorization"], "portal": true}  502s, or a portal's page
  POST /sandbox/client   {"client": URL, "hidden_keys": ["opdash-1"], "public_name": null}
  POST /sandbox/date     {"offset": SECONDS}  the Date header alone
"""


def run(arguments: list[str]) -> int:
    """Serve a sandbox until it is told to end; see `opdash.sandbox.server`."""
    options = _parser().parse(arguments)
    if not 0 <= options.port <= 65_535:
        raise UsageError("A port lies between 0 and 65535.", "0 takes any free one.")
    if options.payments is not None and not 0 <= options.payments <= _MOST_PAYMENTS:
        raise UsageError(f"--payments lies between 0 and {_MOST_PAYMENTS:,}.")
    if not abs(options.date_offset) <= _YEAR:
        raise UsageError("--date-offset lies within a year.")
    if not 0 <= options.latency <= 60_000:
        raise UsageError("--latency lies between 0 and 60000 milliseconds.")
    from opdash.sandbox.options import SandboxOptions
    from opdash.sandbox.server import run_sandbox

    return run_sandbox(
        SandboxOptions(
            port=options.port,
            payments=options.payments,
            seed=options.seed,
            payer=options.payer,
            auto_consent=options.auto_consent,
            free_lists=options.free_lists,
            continue_wait=options.continue_wait,
            date_offset=options.date_offset,
            key_file=options.key_file,
            data=options.data,
            latency=options.latency,
            until_stdin_closes=options.until_stdin_closes,
        )
    )


def _parser() -> CommandParser:
    parser = CommandParser(
        "sandbox",
        "Run an Open Payments server on this machine, with play money, for trying and testing "
        "clients. Once it serves it prints one line of JSON: where it is, its wallet addresses, "
        "and a client with its key.",
        (
            "opdash sandbox --payer",
            "opdash sandbox --port 4100 --key-file client.pem --data ./sandbox",
            "opdash sandbox --payments 5000",
        ),
    )
    parser.epilog = f"{_PAYER}\n{_CONTROL}\n{parser.epilog}"
    add = parser.add_argument
    add("--port", type=int, default=0, metavar="N", help="the port on 127.0.0.1 (any free one)")
    add("--payments", type=int, metavar="N", help="payments that the first wallet starts with")
    add("--seed", type=int, default=1, metavar="N", help="another seed makes up other payments")
    add("--payer", action="store_true", help="pay open payments by itself; see below")
    add("--auto-consent", action="store_true", help="approve interactive grants at once")
    add("--free-lists", action="store_true", help="give list-all without consent")
    add(
        "--continue-wait",
        type=int,
        default=5,
        metavar="SECONDS",
        help="let clients wait so long before they continue a grant",
    )
    add(
        "--date-offset",
        type=int,
        default=0,
        metavar="SECONDS",
        help="let the Date header be wrong by so much",
    )
    add(
        "--key-file",
        type=Path,
        metavar="FILE",
        help="keep the client's private key here; made if absent (a new key each time)",
    )
    add("--data", type=Path, metavar="DIR", help="keep the server's data here (nowhere)")
    add("--latency", type=int, default=0, metavar="MS", help="hold each answer back")
    add(
        "--until-stdin-closes",
        action="store_true",
        help="end when standard input ends, that is with the program that started it",
    )
    return parser
