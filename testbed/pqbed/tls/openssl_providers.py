"""OpenSSL providers of TLS groups and signature schemes: asked of the library in this process.

libssl does the same. It learns of groups and schemes from the providers' capabilities TLS-GROUP and TLS-SIGALG, and
fetches each one's implementation by the algorithm named there, under the properties of the configuration
(provider-base(7), property(7)). The schemes of RSA, ECDSA and EdDSA are its own.
"""

import ctypes
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

LIBRARY = "libcrypto.so.3"
_LOAD_CONFIG = 0x40  # OPENSSL_INIT_LOAD_CONFIG (crypto.h)
# libssl's own schemes, by how their names begin, and the algorithm that signs (sigalg_lookup_tbl in ssl/t1_lib.c).
_OWN_SCHEMES = (("rsa_", b"RSA"), ("ecdsa_", b"ECDSA"), ("ed25519", b"ED25519"), ("ed448", b"ED448"))
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
    library = _load()
    if library is None:
        return {}
    served = {}
    for params in _capabilities(library, b"TLS-GROUP"):
        provider = _provider_of(library, "KEYMGMT", bytes(params["tls-group-alg"]))
        if provider:
            name = bytes(params["tls-group-name"]).decode()
            served[name] = ServedGroup(codepoint=int(params["tls-group-id"]), provider=provider)
    return served


def provided_schemes(schemes: Iterable[str]) -> dict[str, str]:
    """Return the provider of each of these TLS signature schemes that has one; {} if the library cannot be loaded."""
    library = _load()
    if library is None:
        return {}
    algorithms = {
        bytes(params["tls-sigalg-iana-name"]).decode().lower(): bytes(
            params.get("tls-sigalg-sig-name") or params["tls-sigalg-name"]
        )
        for params in _capabilities(library, b"TLS-SIGALG")
    }
    served = {}
    for scheme in schemes:
        own = next((algorithm for prefix, algorithm in _OWN_SCHEMES if scheme.lower().startswith(prefix)), b"")
        provider = _provider_of(library, "SIGNATURE", algorithms.get(scheme.lower(), own))
        if provider:
            served[scheme] = provider
    return served


def _load() -> ctypes.CDLL | None:
    try:
        library = ctypes.CDLL(LIBRARY)
    except OSError:
        return None
    library.OPENSSL_init_crypto(ctypes.c_uint64(_LOAD_CONFIG), None)
    for kind in ("KEYMGMT", "SIGNATURE"):
        getattr(library, f"EVP_{kind}_fetch").restype = ctypes.c_void_p
        getattr(library, f"EVP_{kind}_get0_provider").restype = ctypes.c_void_p
    library.OSSL_PROVIDER_get0_name.restype = ctypes.c_char_p
    return library


def _capabilities(library: ctypes.CDLL, capability: bytes) -> list[dict[str, bytes | int]]:
    """Return the parameters of a capability, once for each that an active provider has of it."""
    providers: list[int] = []
    capabilities: list[dict[str, bytes | int]] = []

    def on_provider(provider: int, _: object) -> int:
        providers.append(provider)
        return 1

    def on_capability(params: "ctypes._Pointer[_Param]", _: object) -> int:
        capabilities.append(dict(_values(params)))
        return 1

    library.OSSL_PROVIDER_do_all(None, _OnProvider(on_provider), None)
    for provider in providers:
        library.OSSL_PROVIDER_get_capabilities(
            ctypes.c_void_p(provider), capability, _OnCapability(on_capability), None
        )
    return capabilities


def _values(params: "ctypes._Pointer[_Param]") -> Iterator[tuple[str, bytes | int]]:
    """Yield the params that are texts or unsigned integers; the list ends with one without a key."""
    index = 0
    while (param := params[index]).key is not None:
        if param.data_type == _TEXT:
            yield param.key.decode(), ctypes.string_at(param.data)
        elif param.data_type == _UNSIGNED:
            yield param.key.decode(), int.from_bytes(ctypes.string_at(param.data, param.data_size), sys.byteorder)
        index += 1


def _provider_of(library: ctypes.CDLL, kind: str, algorithm: bytes) -> str:
    """Return the name of the provider that `algorithm` of an operation is fetched from, "" if there is none."""
    fetched = getattr(library, f"EVP_{kind}_fetch")(None, algorithm, None)
    if not fetched:
        return ""
    provider = getattr(library, f"EVP_{kind}_get0_provider")(ctypes.c_void_p(fetched))
    name: bytes = library.OSSL_PROVIDER_get0_name(ctypes.c_void_p(provider))
    getattr(library, f"EVP_{kind}_free")(ctypes.c_void_p(fetched))
    return name.decode()
