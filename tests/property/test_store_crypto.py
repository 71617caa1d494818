"""The native cryptography of a store does what its format says, in the words of another implementation."""

from __future__ import annotations

import ctypes
import struct
import subprocess
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidTag
from hypothesis import given, settings
from hypothesis import strategies as st
from tests import store_crypto as other

NATIVE = Path(__file__).resolve().parents[2] / "native"
SOURCES = ("crypto.c", "keys.c", "store/siphash.c", "store/cmac.c", "store/xaes.c", "store/seal.c")

steady = settings(deadline=None, derandomize=True, max_examples=100)
keys = st.binary(min_size=32, max_size=32)
ids = st.binary(min_size=16, max_size=16)
names = st.binary(max_size=1024)
values = st.binary(max_size=5000)


class Keys:
    """What seal.h offers of one store."""

    def __init__(self, library: ctypes.CDLL, key: bytes, store: bytes) -> None:
        self.library = library
        self.keys = ctypes.c_void_p(library.ea_store_keys_new(key, store))
        assert self.keys

    def __del__(self) -> None:
        self.library.ea_store_keys_free(self.keys)

    def hash_of(self, name: bytes) -> bytes:
        """Hash the key of a record."""
        out = ctypes.create_string_buffer(16)
        assert self.library.ea_store_hash_secretly(self.keys, name, ctypes.c_size_t(len(name)), out)
        return out.raw

    def head(self, name: bytes, value: bytes) -> bytes:
        """Give the head of a record."""
        return struct.pack("<16sIHH", self.hash_of(name), len(value), len(name), 0)

    def seal(self, name: bytes, value: bytes) -> bytes:
        """Give what follows its head."""
        out = ctypes.create_string_buffer(40 + len(name) + len(value))
        assert self.library.ea_store_seal(self.keys, self.head(name, value), name, value, out)
        return out.raw

    def unseal(self, name: bytes, value: bytes, sealed: bytes) -> tuple[bytes, bytes] | None:
        """Open what was sealed for the head of such a record: its key and value, or None."""
        found = ctypes.create_string_buffer(len(name)), ctypes.create_string_buffer(len(value))
        ok = self.library.ea_store_unseal(self.keys, self.head(name, value), sealed, *found)
        return (found[0].raw, found[1].raw) if ok else None

    def branch_tag(self, level: int, references: bytes, tags: bytes) -> bytes:
        """Authenticate a branch."""
        out = ctypes.create_string_buffer(8)
        assert self.library.ea_store_branch_tag(self.keys, level, references, tags, out)
        return out.raw

    def commit_tag(self, commit: bytes, history: bytes) -> bytes:
        """Authenticate a commit."""
        out = ctypes.create_string_buffer(16)
        assert self.library.ea_store_commit_tag(self.keys, commit, history, out)
        return out.raw


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    """The sources as a library."""
    path = str(tmp_path_factory.mktemp("store") / "seal.so")
    command = ["gcc", "-O1", "-shared", "-fPIC", "-I.", *SOURCES, "-o", path, "-lcrypto"]
    subprocess.run(command, check=True, cwd=NATIVE)
    loaded = ctypes.CDLL(path)
    loaded.ea_store_keys_new.restype = ctypes.c_void_p
    missing = ctypes.c_char_p()
    for start in (loaded.ea_crypto_start, loaded.ea_keys_start, loaded.ea_store_keys_start):
        start.restype = ctypes.c_bool
        assert start(ctypes.byref(missing)), missing.value
    for name in ("hash_secretly", "seal", "unseal", "branch_tag", "commit_tag"):
        getattr(loaded, f"ea_store_{name}").restype = ctypes.c_bool
    return loaded


def test_the_other_implementation_gives_the_published_vectors() -> None:
    """Else it would prove nothing: C2SP's XAES, the reference code's SipHash."""
    nonce = b"ABCDEFGHIJKLMNOPQRSTUVWX"
    assert other.xaes_key(b"\1" * 32, nonce).hex() == (
        "c8612c9ed53fe43e8e005b828a1631a0bbcb6ab2f46514ec4f439fcfd0fa969b"
    )
    assert other.xaes_key(b"\3" * 32, nonce).hex() == (
        "e9c621d4cdd9b11b00a6427ad7e559aeedd66b3857646677748f8ca796cb3fd8"
    )
    counting = bytes(range(63))
    assert other.siphash(counting[:16], b"").hex() == "a3817f04ba25a8e66df67214c7550293"
    assert other.siphash(counting[:16], counting).hex() == "5150d1772f50834a503e069a973fbd7c"


@steady
@given(seed=ids, data=names)
def test_the_plain_hash_is_siphash(library: ctypes.CDLL, seed: bytes, data: bytes) -> None:
    """Readers in other languages find records by it."""
    out = ctypes.create_string_buffer(16)
    library.ea_siphash128(seed, data, ctypes.c_size_t(len(data)), out)
    assert out.raw == other.siphash(seed, data)


@steady
@given(key=keys, store=ids, name=names)
def test_the_secret_hash_is_as_specified(library: ctypes.CDLL, key: bytes, store: bytes, name: bytes) -> None:
    """Derivation of its key included."""
    assert Keys(library, key, store).hash_of(name) == other.hash_of(key, store, name)


@steady
@given(key=keys, store=ids, name=names, value=values, nonce=st.binary(min_size=24, max_size=24))
def test_each_opens_what_the_other_has_sealed(
    library: ctypes.CDLL, key: bytes, store: bytes, name: bytes, value: bytes, nonce: bytes
) -> None:
    """What is authenticated with a record cannot be seen from within one implementation."""
    mine = Keys(library, key, store)
    head = mine.head(name, value)
    assert other.unseal(key, store, head, mine.seal(name, value)) == name + value
    sealed = other.seal(key, store, head, nonce, name + value)
    assert mine.unseal(name, value, sealed) == (name, value)


@steady
@given(data=st.data(), key=keys, store=ids, name=names, value=values)
def test_neither_opens_a_changed_record(
    library: ctypes.CDLL, data: st.DataObject, key: bytes, store: bytes, name: bytes, value: bytes
) -> None:
    """Wherever it is changed."""
    mine = Keys(library, key, store)
    sealed = bytearray(mine.seal(name, value))
    sealed[data.draw(st.integers(0, len(sealed) - 1))] ^= data.draw(st.integers(1, 255))
    assert mine.unseal(name, value, bytes(sealed)) is None
    with pytest.raises(InvalidTag):
        other.unseal(key, store, mine.head(name, value), bytes(sealed))


@steady
@given(
    key=keys,
    store=ids,
    level=st.integers(0, 31),
    branch=st.binary(min_size=192, max_size=192),
    commit=st.binary(min_size=48 + 88, max_size=48 + 88),
)
def test_branches_and_commits_have_the_specified_tags(
    library: ctypes.CDLL, key: bytes, store: bytes, level: int, branch: bytes, commit: bytes
) -> None:
    """So that a reader without the store's code can tell a forged one."""
    mine = Keys(library, key, store)
    references, tags = branch[:64], branch[64:]
    assert mine.branch_tag(level, references, tags) == other.branch_tag(key, store, level, references, tags)
    tag = mine.commit_tag(commit[:48] + bytes(16), commit[48:])
    assert tag == other.commit_tag(key, store, commit)
