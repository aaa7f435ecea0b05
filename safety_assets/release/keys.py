"""Ed25519 keys: made, kept in a file that only its owner reads, and what they sign and verify."""

import os
from pathlib import Path

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from safety_assets.errors import FileError
from safety_assets.people import public_bytes, public_text


def new_key(path: Path, passphrase: bytes | None) -> str:
    """Make a private key in a new file (PKCS #8, PEM, mode 0600) and return its public key.

    Raises:
        FileError: the file is there already, or cannot be written.
    """
    key = Ed25519PrivateKey.generate()
    way: serialization.KeySerializationEncryption = serialization.NoEncryption()
    if passphrase:
        way = serialization.BestAvailableEncryption(passphrase)
    text = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, way)
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
            out.write(text)
    except FileExistsError as error:
        raise FileError(f"{path} exists", do="name another file: a key is never overwritten") from error
    except OSError as error:
        raise FileError(f"{path} cannot be written: {error.strerror}", do="name another file with --key") from error
    return public_of(key)


def is_locked(path: Path) -> bool:
    """Whether a key file asks for a passphrase."""
    return b"ENCRYPTED" in _read(path)


def open_key(path: Path, passphrase: bytes | None = None) -> Ed25519PrivateKey:
    """The private key in a file.

    Raises:
        FileError: it cannot be read, others may read it, it is no Ed25519 key, or the passphrase is wrong.
    """
    text = _read(path)
    if path.stat().st_mode & 0o077:
        raise FileError(f"others may read {path}", expected="mode 0600", do=f"chmod 600 {path}")
    try:
        key = serialization.load_pem_private_key(text, passphrase or None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise FileError(
            f"{path} cannot be opened ({error})", expected="an Ed25519 key in PEM, and its passphrase where it has one",
            do="give the right passphrase, or make a key: safety-assets keys new",
        ) from error  # fmt: skip
    if not isinstance(key, Ed25519PrivateKey):
        raise FileError(f"{path} holds another kind of key", expected="Ed25519", do="safety-assets keys new")
    return key


def public_of(key: Ed25519PrivateKey) -> str:
    """The public key, as a policy writes it."""
    raw = key.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    return public_text(raw)


def verifies(public: str, signature: bytes, text: str) -> bool:
    """Whether this text was signed by the private key of this public one."""
    try:
        Ed25519PublicKey.from_public_bytes(public_bytes(public)).verify(signature, text.encode())
    except (InvalidSignature, ValueError):
        return False
    return True


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise FileError(
            f"{path} cannot be read: {error.strerror}", expected="your private key",
            do="name it with --key or SAFETY_ASSETS_SIGNING_KEY, or make one: safety-assets keys new",
        ) from error  # fmt: skip
