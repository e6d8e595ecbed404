"""The real adapters, for tests and benchmarks that put a plane together by hand."""

from interlock.adapters.cedar import CedarPolicies
from interlock.adapters.effectors.all import AllEffectors
from interlock.adapters.effectors.functions import Functions
from interlock.adapters.effectors.http_call import HttpEffectors
from interlock.adapters.effectors.python import InProcessEffectors, PythonEffectors
from interlock.adapters.issuing import InstanceKey, KeyIssuer, identity_key
from interlock.adapters.keys import KeyFolder
from interlock.adapters.parsing import LaterSql
from interlock.adapters.passwords_later import LaterPasswords
from interlock.adapters.prices_later import LaterPrices
from interlock.adapters.sealer import LogSealer
from interlock.adapters.sqlite.store import SqliteStore
from interlock.adapters.sqlite.vault import SqliteVault
from interlock.adapters.system import SystemClock, SystemIds

__all__ = [
    "AllEffectors",
    "CedarPolicies",
    "Functions",
    "HttpEffectors",
    "InProcessEffectors",
    "InstanceKey",
    "KeyFolder",
    "KeyIssuer",
    "LaterPasswords",
    "LaterPrices",
    "LaterSql",
    "LogSealer",
    "PythonEffectors",
    "SqliteStore",
    "SqliteVault",
    "SystemClock",
    "SystemIds",
    "identity_key",
]
