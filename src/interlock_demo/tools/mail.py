"""Mail: the one thing in this shop that cannot be undone, repeated safely or looked up.

So it is never sent without a person's word, it is tried once, and if the process dies in the middle it is `unknown` until a
person says whether it went.
"""

import interlock
from interlock_demo.tools.promises import TIMEOUT_MS
from interlock_demo.tools.words import Address, Text
from interlock_demo.world import money
from interlock_demo.world.db import ShopRefusal
from interlock_demo.world.payments_client import Mail
from interlock_demo.world.place import here


@interlock.tool(
    name="mail.send",
    effect="external",
    risk="medium",
    idempotency=interlock.Blind(),
    reversal=interlock.NoReversal(why="a mail cannot be unsent"),
    timeout_ms=TIMEOUT_MS,
    touches={"address": "$args.recipient"},
    owner="support-team",
    data={"recipient": "personal", "body": "personal"},
    no_effect_on=(ShopRefusal,),
)
def send_mail(recipient: Address, subject: Text, body: Text) -> Mail:
    """Send one mail to a customer."""
    return money.send_mail(here(), recipient, subject, body)
