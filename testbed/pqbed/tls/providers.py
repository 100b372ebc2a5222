"""OpenSSL providers of TLS groups, with the groups' codepoints: asked of the library in this process.

libssl does the same. It learns of groups from the providers' TLS-GROUP capability, and fetches each group's
key management by the algorithm named there, under the properties of the configuration (provider-base(7),
property(7)).
"""

import ctypes
import sys
from collections.abc import Iterator
from dataclasses import dataclass

LIBRARY = "libcrypto.so.3"
_LOAD_CONFIG = 0x40  # OPENSSL_INIT_LOAD_CONFIG (crypto.h)
_UNSIGNED, _TEXT = 2, 4  # OSSL_PARAM_UNSIGNED_INTEGER, OSSL_PARAM_UTF8_STRING (core.h)


class _Param(ctypes.Structure):
    """OSSL_PARAM (core.h)."""

    _fields_ = (
        ("key", ctypes.c_char_p),
        ("data_type", ctypes.c_uint),
        ("data", ctypes.c_void_p),
        ("data_size", ctypes.c_size_t),
        ("return_size", ctypes.c_size_t),
    )


_OnProvider = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)
_OnCapability = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(_Param), ctypes.c_void_p)


@dataclass(frozen=True, slots=True, kw_only=True)
class ServedGroup:
    """A TLS group that a provider serves."""

    codepoint: int
    provider: str


def provided_groups() -> dict[str, ServedGroup]:
    """Return the TLS groups by their OpenSSL names; {} if the library cannot be loaded."""
    try:
        library = ctypes.CDLL(LIBRARY)
    except OSError:
        return {}
    library.OPENSSL_init_crypto(ctypes.c_uint64(_LOAD_CONFIG), None)
    library.EVP_KEYMGMT_fetch.restype = ctypes.c_void_p
    library.EVP_KEYMGMT_get0_provider.restype = ctypes.c_void_p
    library.OSSL_PROVIDER_get0_name.restype = ctypes.c_char_p
    served = {}
    for params in _groups(library):
        provider = _provider_of(library, bytes(params["tls-group-alg"]))
        if provider:
            name = bytes(params["tls-group-name"]).decode()
            served[name] = ServedGroup(codepoint=int(params["tls-group-id"]), provider=provider)
    return served


def _groups(library: ctypes.CDLL) -> list[dict[str, bytes | int]]:
    """Return the parameters of every group of every active provider."""
    providers: list[int] = []
    groups: list[dict[str, bytes | int]] = []

    def on_provider(provider: int, _: object) -> int:
        providers.append(provider)
        return 1

    def on_capability(params: "ctypes._Pointer[_Param]", _: object) -> int:
        groups.append(dict(_values(params)))
        return 1

    library.OSSL_PROVIDER_do_all(None, _OnProvider(on_provider), None)
    for provider in providers:
        library.OSSL_PROVIDER_get_capabilities(
            ctypes.c_void_p(provider), b"TLS-GROUP", _OnCapability(on_capability), None
        )
    return groups


def _values(params: "ctypes._Pointer[_Param]") -> Iterator[tuple[str, bytes | int]]:
    """Yield the params that are texts or unsigned integers; the list ends with one without a key."""
    index = 0
    while (param := params[index]).key is not None:
        if param.data_type == _TEXT:
            yield param.key.decode(), ctypes.string_at(param.data)
        elif param.data_type == _UNSIGNED:
            yield param.key.decode(), int.from_bytes(ctypes.string_at(param.data, param.data_size), sys.byteorder)
        index += 1


def _provider_of(library: ctypes.CDLL, algorithm: bytes) -> str:
    fetched = library.EVP_KEYMGMT_fetch(None, algorithm, None)
    if not fetched:
        return ""
    provider = library.EVP_KEYMGMT_get0_provider(ctypes.c_void_p(fetched))
    name: bytes = library.OSSL_PROVIDER_get0_name(ctypes.c_void_p(provider))
    library.EVP_KEYMGMT_free(ctypes.c_void_p(fetched))
    return name.decode()
