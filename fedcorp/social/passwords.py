"""Passwords: kept as argon2id hashes (RFC 9106). Slow on purpose: callers run these functions with `clock.offload`."""

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from fedcorp.errors import Unprocessable

MIN_LENGTH, MAX_LENGTH = 8, 1000

_HASHER = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)  # what OWASP asks for, in 20 ms and 19 MiB
# Verified against when a name is unknown, so that an answer takes as long as for a known one.
NOBODY = "$argon2id$v=19$m=19456,t=2,p=1$H0B915suNgH3t9UYcRwVcQ$dep67k5mQHb66gHBRvrr61+QGQHQNTgrptJyz/81C10"


def hash_password(password: str) -> str:
    """The hash to keep. Raises Unprocessable when the password is too short or too long."""
    if not MIN_LENGTH <= len(password) <= MAX_LENGTH:
        raise Unprocessable(f"a password has {MIN_LENGTH} to {MAX_LENGTH} characters.")
    return _HASHER.hash(password)


def is_password(password: str, kept: str) -> bool:
    """Whether this is the password that `kept` was made from."""
    if len(password) > MAX_LENGTH:
        return False
    try:
        return _HASHER.verify(kept, password)
    except (VerificationError, InvalidHashError):
        return False
