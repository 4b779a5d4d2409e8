"""Encryption with a passphrase: AES-256-GCM, so that any change is noticed, with a key from scrypt.

A sealed file is self-contained, so there is no key file to lose and no order in which files must be written:

    8 bytes    "SPKSEAL2"
    16 bytes   salt of the key
    12 bytes   nonce, random
    the rest   content, encrypted, then the 16 bytes that authenticate it

Scrypt with n 2^15, r 8, p 3 is one of the settings that OWASP's Password Storage Cheat Sheet lists as
equally strong; it takes 32 MB and about 0.3 s a guess. What is written together shares a salt, so the
key is made once.
"SPKSEAL1" was written with p 1 by versions before; it is read as well, and `passphrase set` or
`doctor --repair` seal it anew.
"""

import hmac
import secrets
import threading

from speakerid import settings
from speakerid.errors import GalleryError

MAGIC = b"SPKSEAL2"
OLD_MAGIC = b"SPKSEAL1"
SHORTEST = 8  # characters of a passphrase
_SALT, _NONCE, _TAG = 16, 12, 16
HEAD = len(MAGIC) + _SALT
"""Bytes at the beginning of a sealed file that tell what key it was sealed with."""
_SCRYPT = {"length": 32, "n": 2**15, "r": 8}
_PARALLEL = {MAGIC: 3, OLD_MAGIC: 1}


class WrongSeal(GalleryError):
    """The passphrase does not open it, or it was changed since it was sealed."""


class Locked(GalleryError):
    """The folder is encrypted, and the passphrase is missing or another one."""


class Seal:
    """Seals and opens contents with one passphrase. Safe to share between threads."""

    def __init__(self, passphrase: str):
        """Raises GalleryError if the passphrase is too short or the cryptography package is missing."""
        if len(passphrase) < SHORTEST:
            raise GalleryError(f"The passphrase is too short: use at least {SHORTEST} characters.")
        try:
            from cryptography.hazmat.primitives.ciphers.aead import AESGCM
            from cryptography.hazmat.primitives.kdf.scrypt import Scrypt
        except ImportError as error:
            raise GalleryError("Encryption needs a package: run pip install cryptography.") from error
        self._passphrase = passphrase.encode(errors="surrogateescape")
        self._aes, self._scrypt = AESGCM, Scrypt
        self._salt = b""
        self._keys: dict[tuple[bytes, bytes], bytes] = {}
        self._made: set[bytes] = set()  # salts of what this passphrase has sealed or opened
        self._guard = threading.Lock()

    def is_of(self, passphrase: str) -> bool:
        """Whether it is the seal of this passphrase."""
        return hmac.compare_digest(self._passphrase, passphrase.encode(errors="surrogateescape"))

    def close(self, content: bytes) -> bytes:
        """The content, sealed."""
        salt = self._salt or secrets.token_bytes(_SALT)
        key = self._key(MAGIC, salt)
        self._salt = salt
        self._made.add(salt)
        nonce = secrets.token_bytes(_NONCE)
        return MAGIC + salt + nonce + self._aes(key).encrypt(nonce, content, MAGIC)

    def open(self, sealed: bytes) -> bytes:
        """The content of what `close` made.

        Raises:
            WrongSeal: wrong passphrase, or any bit of it was changed.
        """
        from cryptography.exceptions import InvalidTag

        start = len(MAGIC)
        magic = sealed[:start]
        salt, nonce = sealed[start : start + _SALT], sealed[start + _SALT : start + _SALT + _NONCE]
        if not is_sealed(sealed) or len(nonce) < _NONCE:
            raise WrongSeal("it is cut off, or it was changed")
        try:
            content = self._aes(self._key(magic, salt)).decrypt(
                nonce, sealed[start + _SALT + _NONCE :], magic
            )
        except InvalidTag as error:
            raise WrongSeal("the passphrase does not open it, or it was changed") from error
        if magic == MAGIC:
            self._salt = self._salt or salt
        self._made.add(salt)
        return content

    def made(self, sealed: bytes) -> bool:
        """Whether this is known to be sealed with this passphrase, as something else of the same salt opened.

        A salt is random, and only who knows the passphrase takes one over; so what has the salt and does not
        open was changed since. Of other salts nobody can say.

        Args:
            sealed: at least HEAD bytes of it.
        """
        return sealed[len(MAGIC) : HEAD] in self._made

    def _key(self, magic: bytes, salt: bytes) -> bytes:
        with self._guard:
            if (magic, salt) not in self._keys:
                if len(self._keys) > 100:  # damaged files bring salts of their own
                    self._keys.clear()
                scrypt = self._scrypt(salt=salt, p=_PARALLEL[magic], **_SCRYPT)
                self._keys[magic, salt] = scrypt.derive(self._passphrase)
            return self._keys[magic, salt]


def is_sealed(content: bytes) -> bool:
    """Whether this was made by `Seal.close`; a torn piece of such a file is none, and damaged."""
    return content.startswith((MAGIC, OLD_MAGIC)) and len(content) >= HEAD + _NONCE + _TAG


def seal_of(passphrase: str | None) -> Seal | None:
    """The seal of a passphrase; None stands for the variable SPEAKERID_PASSPHRASE, "" for no seal.

    Raises:
        GalleryError: if the passphrase is too short or the cryptography package is missing.
    """
    chosen = settings.PASSPHRASE.value if passphrase is None else passphrase
    return Seal(chosen) if chosen else None
