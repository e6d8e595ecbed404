"""What is read out of addresses, URLs, names and changes, and that everything doubtful is refused."""

import contextlib
import unicodedata
import warnings
from email.headerregistry import HeaderRegistry
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.domain.canonical import MAX_INTEGER
from interlock.domain.parsing import Unreadable, change_per_mille, domains, folded, hosts

JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
LOCALS = st.from_regex(r"[a-z0-9+_-]{1,8}(\.[a-z0-9]{1,4})?", fullmatch=True)
DOMAINS = st.sampled_from(["acme.com", "ACME.com", "evil.example", "münchen.de", "xn--mnchen-3ya.de", "a.b.c.example"])
PLAIN = {"ACME.com": "acme.com", "münchen.de": "xn--mnchen-3ya.de"}

ADDRESSES: dict[str, list[str]] = {
    "a@acme.com": ["acme.com"],
    " a@acme.com ": ["acme.com"],
    "A.B+c@ACME.COM": ["acme.com"],
    "evil@x.com, a@acme.com": ["acme.com", "x.com"],
    "a@acme.com,b@acme.com": ["acme.com"],
    "Ana Ruiz <ana@acme.com>": ["acme.com"],
    "Ana Müller <ana@acme.com>, <b@x.com>": ["acme.com", "x.com"],
    "a@localhost": ["localhost"],
    "a@münchen.de": ["xn--mnchen-3ya.de"],
    "a@xn--mnchen-3ya.de": ["xn--mnchen-3ya.de"],
    # A lookalike is read as what it is, which is not what it looks like: the second letter is Cyrillic.
    "a@\u0430cme.com": ["xn--cme-5cd.com"],
}
NO_ADDRESSES = [
    "",
    " ",
    ",",
    "a",
    "a@",
    "@acme.com",
    "acme.com",
    "a@acme.com,",
    "a@b@acme.com",
    "a@acme.com;b@x.com",
    "a@acme.com b@x.com",
    "a@acme.com\nBcc: b@x.com",
    "a@acme.com\r\n",
    "a@acme.com\t",
    "a@acme.com\x00",
    "a@\ud800.com",
    "a@acme.com.",
    "a@.acme.com",
    "a@acme..com",
    "a@-acme.com",
    "a@acme-.com",
    "a@ac_me.com",
    "a@" + "a" * 64 + ".com",
    "a@" + ".".join(["a" * 60] * 5),
    "a" * 65 + "@acme.com",
    ".a@acme.com",
    "a..b@acme.com",
    '"a"@acme.com',
    '"a@x.com,"@acme.com',
    "a(comment)@acme.com",
    "a@acme.com (comment)",
    "a@(x.com)acme.com",
    "team: a@acme.com, b@x.com;",
    "undisclosed-recipients:;",
    '"Ruiz, Ana" <ana@acme.com>',
    "Ruiz, Ana <ana@acme.com>",
    '"a@acme.com" <b@x.com>',
    "a@acme.com <b@x.com>",
    "Ana <ana@acme.com> <b@x.com>",
    "Ana <ana@acme.com",
    "<@x.com:a@acme.com>",
    "=?utf-8?q?a=40acme=2Ecom?= <b@x.com>",
    "a%x.com@acme.com",
    "x.com!a@acme.com",
    "a@[127.0.0.1]",
    "a@127.0.0.1",
    "a@acme.0x7f",
    "a@acme。com",
    "a@\uff41cme.com",
    "a\uff20acme.com",
    "a@faß.de",
    "a@\u212aelvin.com",
    "a@MÜNCHEN.de",
    "a@ac\u200bme.com",
    "a@ac\u00adme.com",
    "a@acme\u200d.com",
    "a@xn--acme-.com",
    "a@xn--a.com",
    "a@ab--cd.com",
    "ä@acme.com",
    "a@acme.com\u2028b@x.com",
    ["a@acme.com", "b"],
    ["a@acme.com", 1],
    ["a@acme.com", ["b@x.com"]],
    ["a@acme.com"] * 1001,
    ",".join(["a@acme.com"] * 1001),
    "a@acme.com," * 100_000,
    {"to": "a@acme.com"},
    7,
    True,
]


@pytest.mark.proves("parsing.domains")
@pytest.mark.parametrize("text", ADDRESSES)
def test_plain_recipients_have_domains(text: str) -> None:
    """Plain addresses, with or without plain names, give the domains that mail would go to."""
    assert domains(text) == ADDRESSES[text] == domains([text, text])
    assert domains([]) == []


@pytest.mark.proves("parsing.domains")
@pytest.mark.parametrize("value", NO_ADDRESSES, ids=lambda value: ascii(value)[:40])
def test_doubtful_recipients_have_none(value: Any) -> None:
    """What could be read as another recipient is not read, and the message does not repeat it."""
    with pytest.raises(Unreadable) as caught:
        domains(value)

    assert "acme" not in str(caught.value)


@pytest.mark.proves("parsing.domains")
@given(st.lists(st.tuples(LOCALS, DOMAINS), min_size=1, max_size=5), st.booleans())
def test_a_domain_is_there_if_and_only_if_some_recipient_has_it(people: list[tuple[str, str]], one: bool) -> None:
    """For any list of recipients, as one text or several, the set holds their domains and nothing else."""
    addresses = [f"{local}@{domain}" for local, domain in people]

    found = domains(", ".join(addresses) if one else list(addresses))

    assert found == sorted({PLAIN.get(domain, domain) for _, domain in people})
    assert domains([f"a@{each}" for each in found]) == found


@given(
    st.lists(
        st.text("ab@.,<>\"' ():;\\%!=?-x\n", max_size=20) | LOCALS.map(lambda local: f"{local}@acme.com"), max_size=4
    )
)
def test_what_is_read_is_what_the_standard_library_reads(parts: list[str]) -> None:
    """Whatever passes is a plain address list to the standard library's parser too, with the same domains."""
    text = ", ".join(parts)
    try:
        found = domains(text)
    except Unreadable:
        return

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        header: Any = HeaderRegistry()("To", text)
    assert header.defects == ()
    assert all(group.display_name is None for group in header.groups)
    assert sorted({address.domain.lower() for address in header.addresses}) == found


URLS: dict[str, list[str]] = {
    "https://acme.com": ["https://acme.com"],
    "HTTPS://ACME.com/a/b?c=d#e": ["https://acme.com"],
    "https://acme.com:443/": ["https://acme.com"],
    "http://acme.com:443/": ["http://acme.com:443"],
    "https://acme.com:8443": ["https://acme.com:8443"],
    "https://acme.com?x=https://evil.com": ["https://acme.com"],
    "https://acme.com#@evil.com": ["https://acme.com"],
    "https://acme.com/@evil.com": ["https://acme.com"],
    "https://münchen.de/straße": ["https://xn--mnchen-3ya.de"],
    "http://10.0.0.1:8080/": ["http://10.0.0.1:8080"],
    "ftp://files.acme.com/x": ["ftp://files.acme.com"],
}
NO_URLS = [
    "",
    "acme.com",
    "//acme.com",
    "https:acme.com",
    "https:/acme.com",
    "https:///acme.com",
    "https://",
    "https://@acme.com",
    "https://acme.com@evil.com",
    "https://acme.com:pass@evil.com",
    "https://acme.com%40evil.com",
    "https://acme.com\\@evil.com",
    "https://evil.com\\.acme.com",
    "https:\\\\acme.com",
    "https://acme.com/\\evil",
    "https://acme.com evil.com",
    " https://acme.com",
    "https://acme.com\n",
    "https://acme.com/\tx",
    "ht\ntps://acme.com",
    "https://acme.com/\x00",
    "https://acme.com/<script>",
    "javascript:alert(1)",
    "data:text/html,x",
    "file:///etc/passwd",
    "mailto:a@acme.com",
    "https://[::1]/",
    "https://[::ffff:127.0.0.1]/",
    "http://127.1",
    "http://2130706433",
    "http://0x7f.0.0.1",
    "http://0x7f000001",
    "http://0177.0.0.1",
    "http://127.0.0.01",
    "http://127.0.0.1.",
    "http://1.2.3.256",
    "http://1.2.3",
    "https://acme.com.",
    "https://acme..com",
    "https://acme.com:",
    "https://acme.com:0",
    "https://acme.com:080",
    "https://acme.com:99999",
    "https://acme.com:80:80",
    "https://acme.com\uff0fevil.com",
    "https://acme.com\uff20evil.com",
    "https://acme。com",
    "https://ac\u00adme.com",
    "https://\uff45vil.com",
    "https://faß.de",
    "https://a_b.com",
    "https://acme.com/\u0085",
    "x" * 100_000,
    ["https://acme.com", "evil.com"],
    ["https://acme.com"] * 1001,
    5,
]


@pytest.mark.proves("parsing.hosts")
@pytest.mark.parametrize("text", URLS)
def test_plain_urls_have_hosts(text: str) -> None:
    """A plain absolute URL gives its scheme, host and port, as the standard library reads them."""
    assert hosts(text) == URLS[text] == hosts([text])

    assert hosts(text) == hosts([*hosts(text)])
    assert urlsplit(text).hostname in (urlsplit(URLS[text][0]).hostname, "münchen.de")


@pytest.mark.proves("parsing.hosts")
@pytest.mark.parametrize("value", NO_URLS, ids=lambda value: ascii(value)[:40])
def test_doubtful_urls_have_none(value: Any) -> None:
    """A URL that a browser, a proxy and a library could take for different hosts is not read."""
    with pytest.raises(Unreadable) as caught:
        hosts(value)

    assert "acme" not in str(caught.value)


@given(st.text("htps:/ac.@\\?#[]%0:x\t é", max_size=30).map(lambda text: f"https://{text}"))
def test_a_host_that_is_read_is_the_standard_librarys(text: str) -> None:
    """For any text whose host is read, the standard library sees the same host and no user."""
    try:
        (found,) = hosts(text)
    except Unreadable:
        return

    theirs = urlsplit(text)
    assert theirs.username is None
    assert (theirs.hostname or "").encode("idna").decode() == urlsplit(found).hostname


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("  Acme  Inc\n", "acme inc"),
        ("\uff21\uff23\uff2d\uff25", "acme"),
        ("Straße", "strasse"),
        ("ﬁne", "fine"),
        ("\u212a", "k"),
        ("a\u00a0b", "a b"),
        ("e\u0301", "\u00e9"),
        ("", ""),
    ],
)
def test_folded_texts_that_say_the_same_are_the_same(text: str, same: str) -> None:
    """Case, width, ligatures and spacing make no difference."""
    assert folded(text) == same


@pytest.mark.parametrize(
    "value", ["a\u200bb", "a\u202eb", "a\u00adb", "a\x00b", "\ud800", "\U000e0041", 1, None, [], "\ufdfa" * 9_000]
)
def test_text_with_what_cannot_be_seen_is_not_folded(value: Any) -> None:
    """Invisible characters would make two texts that look alike differ."""
    with pytest.raises(Unreadable):
        folded(value)


@given(st.text())
def test_folding_twice_is_folding_once(text: str) -> None:
    """For any text, what is folded is its own folded form, and of no other case or width."""
    try:
        once = folded(text)
    except Unreadable:
        return

    assert folded(once) == once == unicodedata.normalize("NFKC", once)
    assert folded(once.upper()) == folded(once.casefold().upper())


@pytest.mark.parametrize(
    ("value", "base", "change"),
    [
        (2000, 2000, 0),
        (1900, 2000, -50),
        (2001, 2000, 1),
        (1999, 2000, -1),
        (1, 3, -667),
        (0, 5, -1000),
        (5, 0, None),
        (-50, -100, 500),
        (-150, -100, -500),
        (2 * 10**9, 1, 1999999999000),
    ],
)
@pytest.mark.proves("parsing.change")
def test_a_change_in_thousandths(value: int, base: int, change: int | None) -> None:
    """The change is counted in thousandths of the base, rounded away from zero, and absent where that is 0."""
    assert change_per_mille(value, base) == change


@pytest.mark.proves("parsing.change")
@given(st.integers(-(10**9), 10**9), st.integers(-(10**9), 10**9), st.integers(0, 10**6))
def test_no_limit_is_undercut(value: int, base: int, limit: int) -> None:
    """A change that passes a limit in thousandths passes it exactly."""
    change = change_per_mille(value, base)

    assert (change is None) is (base == 0)
    assert change is None or (abs(change) <= limit) is (abs(value - base) * 1000 <= limit * abs(base))


@pytest.mark.parametrize(("value", "base"), [(MAX_INTEGER, 1), (True, 1), (1, True), ("1", 1), (1, None), (1, 1.0)])
def test_a_change_that_cannot_be_counted(value: Any, base: Any) -> None:
    """What is no whole number, or changes beyond counting, is not guessed."""
    with pytest.raises(Unreadable):
        change_per_mille(value, base)


@given(JSON, JSON)
def test_reading_raises_nothing_else(value: Any, base: Any) -> None:
    """Whatever JSON is read, there is an answer or Unreadable."""
    for read in (domains, hosts, folded, lambda each: change_per_mille(each, base)):
        with contextlib.suppress(Unreadable):
            read(value)
