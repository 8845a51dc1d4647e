"""The password hash of MySQL's `caching_sha2_password`: SHA-256 crypt with 5,000 rounds and a salt of 20 characters.

The algorithm is Ulrich Drepper's "Unix crypt using SHA-256 and SHA-512" (2007), step numbers below are his. The C
library's crypt(3), and so Python's, takes 16 characters of salt only.
"""

from __future__ import annotations

import hashlib
import secrets
import string

_ALPHABET = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
# Step 22: bytes of the digest that make up a group of four characters.
_GROUPS = tuple((n, (n + 10) % 30, (n + 20) % 30) for n in (0, 21, 12, 3, 24, 15, 6, 27, 18, 9))
_ROUNDS = 5000
_PREFIX = "$A$005$"
"""How the server writes that many rounds, in thousands."""
SALT_LENGTH = 20


def new_salt() -> str:
    """Return a random salt."""
    return "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(SALT_LENGTH))


def authentication_string(password: str, salt: str) -> str:
    """Return what `mysql.user` keeps of a password."""
    return f"{_PREFIX}{salt}{sha256_crypt(password.encode(), salt.encode())}"


def salt_of(kept: str) -> str | None:
    """Return the salt of an authentication string, None if it is of another kind."""
    if not kept.startswith(_PREFIX) or len(kept) != len(_PREFIX) + SALT_LENGTH + 43:
        return None
    return kept[len(_PREFIX) : len(_PREFIX) + SALT_LENGTH]


def sha256_crypt(password: bytes, salt: bytes, rounds: int = _ROUNDS) -> str:
    """Return the 43 characters of the hash, without prefix and salt."""
    inner = hashlib.sha256(password + salt + password).digest()  # 4-8
    length = len(password)
    outer = hashlib.sha256(password + salt + _repeated(inner, length))  # 1-3, 9-10
    bits = length
    while bits:  # 11
        outer.update(inner if bits & 1 else password)
        bits >>= 1
    digest = outer.digest()  # 12
    p = _repeated(hashlib.sha256(password * length).digest(), length)  # 13-16
    s = _repeated(hashlib.sha256(salt * (16 + digest[0])).digest(), len(salt))  # 17-20
    for number in range(rounds):  # 21
        odd = number & 1
        digest = hashlib.sha256(
            (p if odd else digest) + (s if number % 3 else b"") + (p if number % 7 else b"") + (digest if odd else p)
        ).digest()
    text = "".join(_encoded((digest[a] << 16) | (digest[b] << 8) | digest[c], 4) for a, b, c in _GROUPS)
    return text + _encoded((digest[31] << 8) | digest[30], 3)


def _repeated(block: bytes, length: int) -> bytes:
    return (block * (length // len(block) + 1))[:length]


def _encoded(value: int, characters: int) -> str:
    return "".join(_ALPHABET[(value >> (6 * place)) & 63] for place in range(characters))
