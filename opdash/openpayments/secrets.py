"""A type for what must never be printed: tokens, shared secrets, private keys."""

from __future__ import annotations

MASK = "•••"
"""What a secret prints as."""


class Secret:
    """A string that shows itself only where it is asked to by name.

    It prints, formats and logs as ``•••``, compares in constant time, and cannot be pickled.
    """

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """Return the secret itself; only for putting it on the wire or into its own file."""
        return self._value

    def __repr__(self) -> str:
        return MASK

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return format(MASK, spec)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        import hmac  # the first frame of the screen compares no secrets, and hashes cost time

        return hmac.compare_digest(self._value.encode(), other._value.encode())

    def __hash__(self) -> int:
        return hash((Secret, self._value))

    def __bool__(self) -> bool:
        return bool(self._value)

    def __reduce__(self) -> str:
        raise TypeError("a secret is not pickled")
