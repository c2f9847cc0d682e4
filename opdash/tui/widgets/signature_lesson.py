"""A request's signature, line by line, with what each line is for; pure functions.

The lines are those of the signature base (RFC 9421, section 2.5), exactly as they were signed but
for the token, which is masked.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from types import MappingProxyType

from textual.content import Content

from opdash.openpayments.traces import Trace
from opdash.safetext import safe_text
from opdash.tui.format import instant_long
from opdash.tui.widgets.sheet import Entry, heading, row

_INDENT = "    "
_UNSIGNED = (
    "This request is not signed. What a wallet address is, and which keys a client has, anyone may "
    "ask; everything else must be signed."
)
_WHY = (
    "opdash wrote these lines, the signature base, and signed them with its private key. The "
    "server writes the same lines from what it received and checks them with the public key: "
    "where one character differs, the signature does not fit."
)
_MEANINGS: Mapping[str, str] = MappingProxyType(
    {
        "@method": "what is asked for: nobody on the way can turn a reading into a payment",
        "@target-uri": "the whole URL that was asked, byte for byte, with its query",
        "authorization": "the access token, masked here; it is of no use without this client's key",
        "content-digest": "a hash of the body: no byte of it can be changed on the way",
        "content-length": "how many bytes the body has",
        "content-type": "what the body is",
        "@signature-params": "which lines are signed, in this order, and with what",
    }
)
_CREATED = re.compile(r";created=([0-9]{1,11})(?![0-9])")
_KEY_ID = re.compile(r';keyid="((?:[^"\\]|\\.)*)"')
_SIGNATURE = re.compile(r"([A-Za-z0-9*_.-]+)=:([A-Za-z0-9+/=]*):")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def signature_entries(trace: Trace) -> list[Entry]:
    """Return the signature base of a request, explained; or why there is none."""
    if trace.signature_base is None:
        return [row("", _UNSIGNED)]
    entries: list[Entry] = [row("", Content.styled(_WHY, "$muted"))]
    for line in trace.signature_base.split("\n"):
        entries += [row("", ""), *_line(line)]
    return [*entries, *_signature(trace)]


def _line(line: str) -> Iterator[Entry]:
    quoted, _, value = line.partition(": ")
    name = quoted.strip('"')
    yield row(
        Content.styled(safe_text(f"{quoted}: ", limit=40), "$primary"),
        Content.styled(safe_text(value, limit=4000), "bold"),
    )
    meaning = _MEANINGS.get(name, "this header, as it was sent")
    yield row(_INDENT, Content.styled(meaning, "$muted"))
    if name == "@signature-params":
        yield from _parameters(value)


def _parameters(value: str) -> Iterator[Entry]:
    if created := _CREATED.search(value):
        moment = instant_long(_EPOCH + timedelta(seconds=int(created[1])))
        yield row(_INDENT + "created  ", Content.styled(f"when: {moment}", "$muted"))
    if key_id := _KEY_ID.search(value):
        name = safe_text(key_id[1], limit=80)
        told = f"which key: “{name}” at the client's jwks.json checks it"
        yield row(_INDENT + "keyid    ", Content.styled(told, "$muted"))


def _signature(trace: Trace) -> list[Entry]:
    sent = trace.sent_header("signature")
    found = _SIGNATURE.search(sent)
    label = found[1] if found else "sig1"
    told = (
        f"Sent as the header Signature, labelled {safe_text(label, limit=40)}; Signature-Input "
        "carries the last line. It was made with Ed25519, which needs no other parameter."
    )
    return [
        *heading("The signature"),
        row("", safe_text(sent, limit=400)),
        row(_INDENT, Content.styled(told, "$muted")),
    ]
