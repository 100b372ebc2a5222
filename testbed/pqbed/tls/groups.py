"""Key-exchange groups: names against the codepoints of the IANA "TLS Supported Groups" registry.

nginx's `$ssl_curve` names the groups its OpenSSL can name and prints the codepoint of the others.
"""

# The response header in which the server says what was negotiated.
GROUP_HEADER = "X-Pqbed-Group"

CODEPOINTS = {
    "secp256r1": 0x0017,
    "secp384r1": 0x0018,
    "secp521r1": 0x0019,
    "x25519": 0x001D,
    "x448": 0x001E,
    "MLKEM512": 0x0200,
    "MLKEM768": 0x0201,
    "MLKEM1024": 0x0202,
    "SecP256r1MLKEM768": 0x11EB,
    "X25519MLKEM768": 0x11EC,
    "SecP384r1MLKEM1024": 0x11ED,
}
# The same group under the other names that OpenSSL and nginx print.
ALIASES = {"prime256v1": "secp256r1", "p-256": "secp256r1", "p-384": "secp384r1", "p-521": "secp521r1"}

_NAMES = {name.lower(): name for name in CODEPOINTS}
_BY_CODEPOINT = {codepoint: name for name, codepoint in CODEPOINTS.items()}


def canonical_group(text: str) -> str:
    """Return the registry's name of what a tool printed (`X25519`, `prime256v1`, `0x11ec`), else `text` itself."""
    lower = text.strip().lower()
    if lower.startswith("0x"):
        return _BY_CODEPOINT.get(int(lower, 16), lower)
    lower = ALIASES.get(lower, lower)
    return _NAMES.get(lower, text.strip())
