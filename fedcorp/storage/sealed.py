"""Secrets in the database are sealed with a key that lies outside it: whoever has the rows alone can sign nothing.

A sealed text is `sealed:KEY:REST`. REST is base64url of a nonce of 12 bytes and of what AES-256-GCM (NIST SP 800-38D)
makes of the text, KEY the first eight hexadecimal digits of the SHA-256 of the key. The name of what the text belongs
to is authenticated with it, so that nothing sealed can be put into another's place.

The keys stand in a file, or in a variable of the environment: 64 hexadecimal digits each, the one that seals first. Any
more are older ones, which only open.
"""

import contextlib
import hashlib
import os
import re
import tempfile
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from fedcorp.clock import Clock
from fedcorp.config import Config
from fedcorp.errors import ConfigError

MARK = "sealed:"
ENVIRONMENT = "env:"
_NONCE = 12
_KEPT = 512  # opened texts: every signature needs one
_KEY = re.compile(r"[0-9a-fA-F]{64}")


def is_sealed(text: str) -> bool:
    """Whether a text of the database was sealed."""
    return text.startswith(MARK)


class Keyring:
    """The keys of one instance: the first seals, all open. `place` says in errors where they stand."""

    def __init__(self, keys: Sequence[bytes], place: str) -> None:
        self._keys = {_name(key): AESGCM(key) for key in keys}
        self.name = next(iter(self._keys), "")
        self.mark = f"{MARK}{self.name}:"  # how everything begins that the first key sealed
        self.has_older = len(self._keys) > 1
        self.place = place
        self.open = lru_cache(maxsize=_KEPT)(self._open)

    def seal(self, text: str, of: str, clock: Clock) -> str:
        """`text` sealed as the secret of `of`."""
        nonce = clock.random_bytes(_NONCE)
        hidden = self._keys[self.name].encrypt(nonce, text.encode(), of.encode())
        return self.mark + urlsafe_b64encode(nonce + hidden).decode()

    def _open(self, sealed: str, of: str) -> str:
        """What was sealed as the secret of `of`. Raises ConfigError when no key here opens it."""
        if not is_sealed(sealed):
            raise ConfigError("the secrets in the database are not sealed; restart `fedcorp serve`, which seals them.")
        name, _, rest = sealed.removeprefix(MARK).partition(":")
        key = self._keys.get(name)
        if key is None:
            raise ConfigError(
                f"the secrets in the database are sealed with a key that {self.place} does not hold; bring back the "
                "file that belongs to this database (storage.key)."
            )
        try:
            whole = urlsafe_b64decode(rest)
            return key.decrypt(whole[:_NONCE], whole[_NONCE:], of.encode()).decode()
        except (InvalidTag, ValueError):
            raise ConfigError(
                f"the secret of {of} in the database is damaged or was put there from elsewhere; restore a backup."
            ) from None


NO_KEYS = Keyring((), "nobody")


def find_file(config: Config) -> Path | None:
    """The file of the keys; None when they stand in the environment."""
    where = config.storage.key
    return None if where.startswith(ENVIRONMENT) else (config.folder / where).resolve()


def load(config: Config, *, make: Clock | None = None) -> Keyring:
    """The keys that `storage.key` names; with a clock for `make`, a file that is missing is written.

    Raises ConfigError.
    """
    path = find_file(config)
    if path is None:
        variable = config.storage.key.removeprefix(ENVIRONMENT)
        return _parsed(os.environ.get(variable, ""), f"the variable {variable}")
    if make is not None and not path.exists():
        _write(path, make)
    try:
        return _parsed(path.read_text(encoding="utf-8"), str(path))
    except FileNotFoundError:
        raise ConfigError(
            f"{path} does not exist, and the secrets in the database are sealed with the key in it; bring back your "
            "copy of it, or correct storage.key."
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} cannot be read: {error}; correct storage.key, or who owns the file.") from None


def _parsed(text: str, place: str) -> Keyring:
    words = [word for line in text.splitlines() for word in line.partition("#")[0].split()]
    if not words or not all(map(_KEY.fullmatch, words)):
        raise ConfigError(
            f"{place} must hold keys of 64 hexadecimal digits, and nothing else but comments after #; "
            "`openssl rand -hex 32` makes one."
        )
    return Keyring([bytes.fromhex(word) for word in words], place)


def _write(path: Path, clock: Clock) -> None:
    """Make the file whole or not at all; who comes second finds that of the first."""
    text = "# Opens the secrets in the database. Keep a copy, but not with copies of the database.\n"
    text += clock.random_bytes(32).hex() + "\n"
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with tempfile.NamedTemporaryFile("w", dir=path.parent, prefix=f".{path.name}.") as made:  # mode 0600
            made.write(text)
            made.flush()
            os.fsync(made.fileno())
            with contextlib.suppress(FileExistsError):
                os.link(made.name, path)
    except OSError as error:
        raise ConfigError(f"{path} cannot be written: {error}; correct storage.key, or who owns the folder.") from None


def _name(key: bytes) -> str:
    return hashlib.sha256(key).hexdigest()[:8]
