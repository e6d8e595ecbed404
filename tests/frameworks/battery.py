"""What is promised of the adapter of every framework, asked of a real agent of it whose model follows a script.

Each framework's folder says how such an agent is made (`driver.py`) and runs this battery, in that framework's environment. What
it cannot is in `facts.py`, with why; [the reference](../../docs/reference/frameworks.md) has a table of both.
"""

from tests.frameworks.battery_governed import Governed
from tests.frameworks.battery_hostile import Hostile
from tests.frameworks.battery_once import Once
from tests.frameworks.battery_pausing import Pausing


class Battery(Governed, Hostile, Once, Pausing):
    """All of it."""
