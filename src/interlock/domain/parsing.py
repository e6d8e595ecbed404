"""Reading facts out of arguments: addresses, URLs, names, changes.

The rule throughout: a plain form is read, on which every program agrees; everything else raises Unreadable. Nothing is
repaired and nothing guessed, for what a policy sees must be what the tool's own parser sees. SQL is read through a port.
"""

import re
import unicodedata
from ipaddress import AddressValueError, IPv4Address
from typing import Final

from interlock.domain.canonical import MAX_INTEGER, JsonValue

MAX_CHARACTERS: Final = 64 * 1024
"""Of one text that is read."""
MAX_TEXTS: Final = 1_000
"""How many addresses or URLs one argument may hold."""


class Unreadable(ValueError):
    """A value is not of the plain form. The message says what is wrong and never repeats the value."""


# -- mail addresses ------------------------------------------------------------------------------------------------------

# RFC 5322 dot-atom, without `%` and `!`, by which old relays were told to send mail on to somewhere else.
_LOCAL: Final = re.compile(r"[A-Za-z0-9#$&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9#$&'*+/=?^_`{|}~-]+)*")
# Words before `<`: what every parser takes for a name, so no quotes, comments, colons or a second address.
_NAMED: Final = re.compile(r"([^\W_][\w'-]*( +[^\W_][\w'-]*)*)? *<(?P<address>[^<>]*)>")


def domains(value: JsonValue) -> list[str]:
    """The domains of the mail addresses in `value`, sorted: `acme.com, xn--...`. An empty array has none.

    Raises Unreadable unless each text is a list of `local@domain` or `Some Name <local@domain>`, with commas between.
    """
    found: set[str] = set()
    addresses = [each for text in _texts(value) for each in text.split(",")]
    if len(addresses) > MAX_TEXTS:
        raise Unreadable(f"more than {MAX_TEXTS} recipients")
    for address in addresses:
        found.add(_domain(address.strip(" ")))
    return sorted(found)


def _domain(address: str) -> str:
    named = _NAMED.fullmatch(address)
    local, at, domain = (named["address"] if named else address).partition("@")
    if not at or not domain:
        raise Unreadable("a recipient without a domain")
    if not _LOCAL.fullmatch(local) or len(local) > 64:
        raise Unreadable("a recipient that is no plain address")
    return _host(domain, numeric=False)


# -- hosts ---------------------------------------------------------------------------------------------------------------

_LABEL: Final = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_NUMERIC: Final = re.compile(r"[0-9]+|0x[0-9a-f]*")
_IPV4: Final = re.compile(r"[0-9]{1,3}(\.[0-9]{1,3}){3}")


def _host(text: str, *, numeric: bool) -> str:
    """A host name in lower-case ASCII. `numeric` allows an IPv4 address as it is usually written."""
    try:
        host = ".".join(_label(label) for label in text.split("."))
    except UnicodeError:
        raise Unreadable("a host name that has no ASCII form") from None
    if len(host) > 253:
        raise Unreadable("a host name longer than 253 characters")
    if _NUMERIC.fullmatch(host.rpartition(".")[2]):
        # `2130706433`, `127.1` and `0x7f.1` all mean 127.0.0.1 to some; only one spelling is let through.
        if numeric and _is_ipv4(host):
            return host
        raise Unreadable("a host that is a number")
    return host


def _label(text: str) -> str:
    if len(text) > 63:
        raise Unreadable("a host name with a part longer than 63 characters")
    # Upper case beyond ASCII is folded differently by different standards, so it is not folded at all.
    label = text.lower() if text.isascii() else _ascii(text)
    if not _LABEL.fullmatch(label):
        raise Unreadable("a host that is no plain name")
    if label[2:4] == "--" and (not label.startswith("xn--") or _ascii(_unicode(label)) != label):
        raise Unreadable("a host whose name is encoded in an unusual way")
    return label


def _ascii(label: str) -> str:
    """IDNA, only for labels that the standard of 2003 and that of 2008 write alike: those that nothing maps."""
    plain = unicodedata.normalize("NFKC", label).casefold() == label
    if not plain or any(unicodedata.category(each)[0] not in "LMN" and each != "-" for each in label):
        raise Unreadable("a host name with characters that can be read as others")
    encoded = label.encode("idna").decode()
    if _unicode(encoded) != label:
        raise Unreadable("a host name with characters that can be read as others")
    return encoded


def _unicode(label: str) -> str:
    return label.encode("ascii").decode("idna")


def _is_ipv4(text: str) -> bool:
    if not _IPV4.fullmatch(text):
        return False
    try:
        return str(IPv4Address(text)) == text
    except AddressValueError:
        return False


# -- URLs ----------------------------------------------------------------------------------------------------------------

# What RFC 3986 allows in a URL, and letters beyond ASCII, which may stand in a host or be left unescaped in a path.
_URL: Final = re.compile(
    r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://(?P<host>[^/?#:@\[\]]+)(:(?P<port>[0-9]{1,5}))?"
    r"([/?#](?:[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=%-]|[^\x00-\x9f])*)?"
)
_PORTS: Final = {"http": 80, "https": 443, "ftp": 21, "ws": 80, "wss": 443}


def hosts(value: JsonValue) -> list[str]:
    """Scheme and host of the URLs in `value`, sorted: `https://acme.com`, `http://10.0.0.1:8080`.

    Raises Unreadable unless each text is one absolute URL without user, password, spaces, backslashes or control
    characters, whose host is a plain name or a dotted IPv4 address.
    """
    texts = _texts(value)
    if len(texts) > MAX_TEXTS:
        raise Unreadable(f"more than {MAX_TEXTS} URLs")
    return sorted({_origin(text) for text in texts})


def _origin(text: str) -> str:
    found = _URL.fullmatch(text)
    if found is None:
        raise Unreadable("not a plain absolute URL")
    scheme, host = found["scheme"].lower(), _host(found["host"], numeric=True)
    if found["port"] is None:
        return f"{scheme}://{host}"
    port = int(found["port"])
    if not 0 < port < 65536 or str(port) != found["port"]:
        raise Unreadable("a port that is none")
    return f"{scheme}://{host}" if port == _PORTS.get(scheme) else f"{scheme}://{host}:{port}"


# -- names ---------------------------------------------------------------------------------------------------------------

_SPACES: Final = "\t\n\r "


def folded(value: JsonValue) -> str:
    """`value` in NFKC, case-folded, with runs of white space as one space and none at the ends.

    Raises Unreadable for text with control, formatting or unassigned characters: two texts that look alike would differ.
    """
    text = _text(value)
    before = None
    # Folding may undo the normal form and the other way round; Unicode's own text repeats it likewise.
    while text != before:
        before = text
        text = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    if any(unicodedata.category(each)[0] == "C" and each not in _SPACES for each in text):
        raise Unreadable("it holds characters that cannot be seen")
    return _text(" ".join(text.split()))


# -- changes -------------------------------------------------------------------------------------------------------------


def change_per_mille(value: JsonValue, base: JsonValue) -> int | None:
    """How far `value` lies from `base` in thousandths of the size of `base`, away from zero; None where that is 0.

    Raises Unreadable for what is no integer, and for a change that cannot be counted in 2^53.
    """
    if type(value) is not int or type(base) is not int:
        raise Unreadable("it is not a whole number")
    if base == 0:
        return None
    distance = (value - base) * 1000
    size = -(-abs(distance) // abs(base))
    if size > MAX_INTEGER:
        raise Unreadable("the change is too large to be counted")
    return size if distance >= 0 else -size


# -- all -----------------------------------------------------------------------------------------------------------------


def _texts(value: JsonValue) -> list[str]:
    """`value` as texts: itself, or its items."""
    items: list[JsonValue] = value if isinstance(value, list) else [value]
    if len(items) > MAX_TEXTS:
        raise Unreadable(f"more than {MAX_TEXTS} texts")
    return [_text(item) for item in items]


def _text(value: JsonValue) -> str:
    if type(value) is not str:
        raise Unreadable("it is not text")
    if len(value) > MAX_CHARACTERS:
        raise Unreadable(f"it is longer than {MAX_CHARACTERS} characters")
    return value
