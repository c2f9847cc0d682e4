"""The ``opdash`` command: finds the command that is meant, runs it, ends with its exit code.

Every command is a module with ``run(arguments: list[str]) -> int`` and is imported only when it
is called; the top-level help is a plain text, so that it costs no more than printing it.
"""

from __future__ import annotations

import sys

COMMANDS = {
    "list": "opdash.cli.listing",
    "show": "opdash.cli.show",
    "create": "opdash.cli.create",
    "complete": "opdash.cli.complete",
    "note": "opdash.cli.note",
    "outgoing": "opdash.cli.outgoing",
    "till": "opdash.cli.till",
    "watch": "opdash.cli.watch",
    "hooks": "opdash.cli.hooks",
    "sync": "opdash.cli.sync",
    "reconcile": "opdash.cli.reconcile",
    "bill": "opdash.cli.bill",
    "export": "opdash.cli.export",
    "statement": "opdash.cli.statement",
    "receipt": "opdash.cli.receipt",
    "log": "opdash.cli.log",
    "ledger": "opdash.cli.ledger",
    "doctor": "opdash.cli.doctor",
    "wallet": "opdash.cli.wallet",
    "key": "opdash.cli.key",
    "grants": "opdash.cli.grants",
    "signout": "opdash.cli.signout",
    "sandbox": "opdash.cli.sandbox",
    "demo": "opdash.cli.demo",
}
"""Every command and the module that runs it."""

SCREEN = "opdash.cli.screen"
"""Runs when no command is named."""

VALUE_OPTIONS = ("--config", "--data-dir", "--wallet", "--consent", "--trace")
"""The options that may stand before the command and take a value."""

HELP = """\
opdash: a terminal wallet dashboard for Open Payments.

usage: opdash [OPTIONS] [COMMAND] [ARGUMENTS]

without a command   open the screen
  demo              open the screen on a sandbox that pays, without real money
  sandbox           run the sandbox Open Payments server by itself

payments
  list              list incoming payments, newest first
  show ID           show one incoming payment and its time line
  create            create an incoming payment
  complete ID       close an incoming payment for good
  note ID           label a payment, write a note on it, say how it was settled
  outgoing URL      show an outgoing payment
  till              take payments at the counter: an amount, a QR code, PAID
  watch             print every change as it happens, or hand it to hooks
  hooks             what hooks did not take, and the secrets that sign web hooks
  log ID            print what was observed of a payment, step by step
  sync              read the server's whole list, and find what it no longer has

books
  reconcile FILE    hold invoices against payments: paid, short, over, late, missing
  bill FILE         create payments for invoices that have none, and none twice
  export FORMAT     write csv, jsonl, hledger, beancount, ofx or camt053 for the bookkeeper
  statement         tell what arrived in a month, by day and reference, and what needs action
  receipt ID        write a receipt of one payment for the customer

set-up
  doctor [WALLET]   find out step by step what is wrong, and what to do about it
  wallet            add, list or remove a wallet address
  key               make a key, show the part to register, or replace it
  grants            list what opdash may do, renew it, or give it back
  signout           give all grants of a wallet back
  ledger            check, compact, purge or move what opdash remembers

options, before or after the command
  --config FILE     use this configuration file
  --data-dir DIR    keep the ledger, keys and logs here
  --wallet NAME     which of several wallets is meant
  --consent WAY     learn of consent by redirect or by polling (what suits this machine)
  --debug           write a log file without secrets, and say where
  --trace FILE      append every request and its answer to FILE, secrets masked
  --version         print the version
  -h, --help        print this, or with a command what it takes

exit codes: 0 done, 1 failed, 2 usage or input, 3 something needs a look,
            4 not permitted, 5 unreachable, 130 interrupted
"""


def entry_point(arguments: list[str] | None = None) -> int:
    """Run one command.

    Args:
        arguments: The words after ``opdash``; those of the process when None.

    Returns:
        The exit code (`opdash.errors.ExitCode`). No exception leaves, but `SystemExit` from the
        help of a command.
    """
    words = sys.argv[1:] if arguments is None else arguments
    try:
        _check_stdout()
        code = _run(words)
        sys.stdout.flush()
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        _abandon_stdout()
        return 1
    except Exception as error:
        return _tell(error, debug="--debug" in words)
    return code


def _check_stdout() -> None:
    """Raise `OSError` where standard output is closed; let it take every character otherwise."""
    if sys.stdout is None:
        raise OSError("standard output is closed")
    reconfigure = getattr(sys.stdout, "reconfigure", None)
    if reconfigure is not None:
        reconfigure(errors="backslashreplace")


def _run(words: list[str]) -> int:
    leading, command, rest = split_command(words)
    if command is None:
        if "--help" in leading or "-h" in leading:
            sys.stdout.write(HELP)
            return 0
        if "--version" in leading or "-V" in leading:
            from opdash import __version__

            sys.stdout.write(f"opdash {__version__}\n")
            return 0
        return _call(SCREEN, leading)
    if command == "help":
        return _run([*rest[:1], "--help"])
    if command not in COMMANDS:
        raise _unknown(command)
    return _call(COMMANDS[command], [*leading, *rest])


def split_command(words: list[str]) -> tuple[list[str], str | None, list[str]]:
    """Part the words at the first that is neither an option nor an option's value."""
    position = 0
    while position < len(words) and words[position].startswith("-"):
        position += 2 if words[position] in VALUE_OPTIONS else 1
    if position >= len(words):
        return words, None, []
    return words[:position], words[position], words[position + 1 :]


def _call(module: str, arguments: list[str]) -> int:
    from importlib import import_module

    code: int = import_module(module).run(arguments)
    return int(code)


def _unknown(command: str) -> Exception:
    from difflib import get_close_matches

    from opdash.errors import InputError
    from opdash.safetext import safe_text

    near = get_close_matches(command, COMMANDS, n=1, cutoff=0.5)
    advice = f"Did you mean “opdash {near[0]}”?" if near else "See “opdash --help”."
    return InputError(f"“{safe_text(command, limit=40)}” is not a command of opdash.", advice)


def _tell(error: Exception, *, debug: bool) -> int:
    from opdash.errors import OpdashError
    from opdash.safetext import safe_text

    if isinstance(error, OpdashError):
        sentence, advice, code = error.sentence, error.advice, int(error.exit_code)
    elif isinstance(error, OSError):
        sentence = f"The system refused: {error.strerror or error}."
        advice = f"It is about {error.filename}." if error.filename else ""
        code = 1
    else:
        sentence = f"opdash failed through a mistake of its own ({type(error).__name__})."
        advice = "Report what is above." if debug else "Run it again with --debug to see where."
        code = 1
    lines = [f"opdash: {safe_text(sentence)}", *([f"  {safe_text(advice)}"] if advice else [])]
    if debug and not isinstance(error, OpdashError):
        lines = [*_trace(error), *lines]
    if sys.stderr is not None:
        sys.stderr.write("\n".join(lines) + "\n")
    return code


def _trace(error: Exception) -> list[str]:
    import traceback

    from opdash.redact import redact
    from opdash.safetext import safe_text

    text = redact("".join(traceback.format_exception(error)))
    return [safe_text(line) for line in text.splitlines()]


def _abandon_stdout() -> None:
    """Keep the interpreter from complaining when it flushes a pipe that nobody reads."""
    import os

    descriptor = os.open(os.devnull, os.O_WRONLY)
    os.dup2(descriptor, sys.stdout.fileno())
