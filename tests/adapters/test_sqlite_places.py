"""Where entries of several tenants stand in one file."""

import apsw

from interlock.adapters.sqlite.log import checkpoint_at
from interlock.adapters.sqlite.statements import MOST_ENTRIES, place_of


def test_a_size_that_no_log_has_leads_to_no_other_tenants_checkpoint() -> None:
    """Beyond the last place of a tenant begins the next one's: no size leads there."""
    connection = apsw.Connection(":memory:")
    connection.execute("CREATE TABLE entry (place INTEGER PRIMARY KEY, checkpoint TEXT)")
    rows = ((place_of(1, 0), "mine"), (place_of(1, MOST_ENTRIES - 1), "my last"), (place_of(2, 0), "another's"))
    for row in rows:
        connection.execute("INSERT INTO entry VALUES (?, ?)", row)

    assert [checkpoint_at(connection, 1, size) for size in (0, 1, MOST_ENTRIES)] == [None, "mine", "my last"]
    assert [checkpoint_at(connection, 1, MOST_ENTRIES + more) for more in (1, 2, 10**9)] == [None] * 3
    connection.close()
