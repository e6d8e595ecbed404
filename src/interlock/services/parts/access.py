"""The part of the plane that lets people in: accounts, sessions, API keys, and the glass that is broken."""

from dataclasses import dataclass

from interlock.services.accounts import Accounts
from interlock.services.api_keys import ApiKeys
from interlock.services.by_provider import ByProvider
from interlock.services.errands import Carrying
from interlock.services.glass import Breaking
from interlock.services.insisting import Insisting
from interlock.services.logins import Logins
from interlock.services.means import Means
from interlock.services.parts.groundwork import Groundwork
from interlock.services.sessions import Sessions
from interlock.services.signing_in import SigningIn
from interlock.services.welcoming import Welcoming


@dataclass(frozen=True, kw_only=True)
class Access:
    """How people sign in, and what they hold afterwards."""

    signing_in: SigningIn
    insisting: Insisting
    by_provider: ByProvider
    sessions: Sessions
    api_keys: ApiKeys
    accounts: Accounts
    breaking: Breaking
    welcoming: Welcoming
    carrying: Carrying


def access(m: Means, g: Groundwork) -> Access:
    """Put together what lets people in."""
    orders = g.orders
    logins = Logins(m.store, m.clock)
    api_keys = ApiKeys(store=m.store, logins=logins, orders=orders, clock=m.clock, ids=m.ids)
    insisting = Insisting(logins=logins, passwords=m.passwords, clock=m.clock, ids=m.ids)
    signing_in = SigningIn(
        logins=logins,
        orders=orders,
        insisting=insisting,
        passwords=m.passwords,
        clock=m.clock,
        ids=m.ids,
        tenant=m.tenant,
    )
    return Access(
        signing_in=signing_in,
        insisting=insisting,
        by_provider=ByProvider(provider=m.provider, signing_in=signing_in, clock=m.clock, ids=m.ids),
        sessions=Sessions(logins=logins, orders=orders, clock=m.clock),
        api_keys=api_keys,
        accounts=Accounts(logins=logins, keys=api_keys, signing_in=signing_in, orders=orders, clock=m.clock),
        breaking=Breaking(logins=logins, orders=orders, clock=m.clock, ids=m.ids),
        carrying=Carrying(store=m.store, clock=m.clock),
        welcoming=Welcoming(logins=logins, orders=orders, signing_in=signing_in, clock=m.clock),
    )
