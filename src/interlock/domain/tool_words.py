"""What the words of a tool's name mean to somebody who has to guess what it does.

Three tables, and which of them a word is in decides. `STRONG`: it acts wherever the word stands. `NOUNS`: it acts, but the
same word is a thing as often (`order`, `post`), so behind a verb that reads (`get_order`) it is taken for the thing. `READS`:
verbs that only look. A word that is in none of them says nothing, and what nothing is said of is taken for the worst.
"""

import re
from typing import Final, NamedTuple

from interlock.domain.contract import Effect, Risk


class Deed(NamedTuple):
    """What a word says that a tool does."""

    effect: Effect
    risk: Risk


_OURS: Final = Deed("write", "medium")
_GRAVE: Final = Deed("write", "high")
_LOST: Final = Deed("write", "critical")
_OUT: Final = Deed("external", "high")
_WORST: Final = Deed("external", "critical")


def _table(rows: dict[Deed, str]) -> dict[str, Deed]:
    return {word: deed for deed, each in rows.items() for word in each.split()}


def words(text: str) -> frozenset[str]:
    """The words of a table."""
    return frozenset(text.split())


STRONG: Final = _table(
    {
        _OURS: (
            "create add insert write append save update modify edit rename upload download import export attach "
            "assign unassign archive unarchive subscribe unsubscribe enqueue register mark toggle put upsert "
            "annotate stash unstash clone copy sync refresh pin unpin bookmark follow unfollow react apply "
            "configure customize store generate compose stage unstage checkin new label"
        ),
        _GRAVE: (
            "delete remove move replace overwrite cancel exchange merge rebase revert restore rollback undo "
            "enable disable lock unlock pause resume start stop restart reboot close reopen approve reject accept "
            "decline confirm reserve adjust migrate install uninstall clear detach dequeue consume pop mute "
            "suspend activate deactivate reassign schedule reschedule checkout trigger increment decrement rotate "
            "resolve dismiss release scale override mutate alter patch rid redeem"
        ),
        _LOST: (
            "purge wipe erase destroy truncate drop kill terminate shutdown reset format revoke grant ban block "
            "impersonate delegate elevate sudo chmod chown encrypt decrypt unlink rm rmdir"
        ),
        _OUT: (
            "send notify publish tweet retweet broadcast forward reply dispatch submit invite escalate handoff "
            "deliver push sms dm"
        ),
        _WORST: (
            "pay refund reimburse withdraw deposit buy purchase sell bid stake mint burn swap wire remit execute "
            "exec eval shell bash powershell deploy provision invoke spawn sign login logout authenticate "
            "authorize charge issue disburse transact liquidate payout"
        ),
    }
)
"""Words that act wherever they stand in a name, or begin a clause of a description."""

NOUNS: Final = _table(
    {
        _OURS: "set change comment note tag branch commit log record file build like rate vote star share link fork watch",
        _GRAVE: "return process handle manage make do perform use open switch turn flag",
        _OUT: "post email mail message text call request ship alert page ping report contact tell raise",
        _WORST: "order transfer book trade invoice run command script token permission role access key",
    }
)
"""Words that act, and are things as well: they count where no verb that reads stands before them."""

THINGS: Final = words(
    "format start stop store copy issue new label stage mark charge release sign lock scale pin dm sms export import update "
    "reset block grant resume reply patch trigger drop close reserve schedule register archive attach ban bid mint burn stake "
    "swap wire add download sell buy purchase notify forward override decline order reject"
)
"""Strong words that are things, too, where whole sentences are read: there they count at the beginning of a clause alone."""

TOLD: Final = words(
    "return use make do call report page key access set like handle process manage permission role token record file rate link"
)
"""Words that act in a name, and say nothing in a description: `Returns the price. Use it when ...`."""

READS: Final = words(
    "get list read search find show describe lookup look view count fetch retrieve preview inspect explain estimate calculate "
    "compute convert compare analyze analyse summarize summarise think is has can exists check"
)
"""Verbs that only look, where nothing else in the name speaks against it."""

READS_LAST: Final = words(
    "status log diff tree info details detail history stats statistics summary count metadata schema version"
)
"""Things that a name which ends in them only asks for: `git_status`."""

UNLESS: Final[dict[str, frozenset[str]]] = {
    "check": frozenset({"in", "out", "off"}),
    "show": frozenset({"notification", "alert", "dialog", "message", "toast", "popup", "ad", "banner"}),
    "list": frozenset({"sale", "ebay", "market", "marketplace", "for", "on"}),
    "look": frozenset({"after"}),
    "get": frozenset({"token", "rid", "or"}),
    "find": frozenset({"or"}),
}
"""With one of these beside it, a verb that reads may do something else: `check_in`, `get_or_make`."""

LISTED: Final = words("directory folder dir all inventory content data staff everything")
"""What is many without an `s` at its end. `list_product` may put something on sale; `list_products` lists."""

SENSITIVE: Final = words(
    "secret secrets password passwords credential credentials env environment ssn salary salaries medical patient patients "
    "health passport card cards bank iban diagnosis private key keys"
)
"""Where one of these is read, reading is no small matter."""

ARGUMENTS: Final = words(
    "command cmd sql code script statement content contents body message recipient recipients to cc bcc amount price password "
    "data payload patch value values updates changes destination dest output out method headers force overwrite confirm commit "
    "entities relations observations attachments signature approve"
)
"""Arguments that a tool which only looks seldom takes."""

ADDRESSES: Final = words("url uri urls endpoint webhook host hostname domain address link")
"""Arguments that say where something is reached: what is read there, and that it was, is somebody else's."""

_PARTS: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
LONG: Final = 6
"""From so many letters on a word that acts is looked for within others: `getanddelete`."""


def words_of(name: str) -> tuple[str, ...]:
    """The words of a name, small: `getUser_by-id` is get, user, by, id."""
    return tuple(part.lower() for part in _PARTS.findall(name))


def inside(word: str) -> str:
    """The strong word that `word` is a form of or has within it, or nothing."""
    if word in STRONG:
        return word
    return next((each for each in STRONG if len(each) >= LONG and each in word), "")
