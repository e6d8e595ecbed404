"""`ports.own_tools.OwnTools`, over the functions that this process offers or lends."""

from interlock.adapters.effectors.python import InProcessEffectors
from interlock.domain.call import Answer, Call, Nothing
from interlock.domain.canonical import JsonValue
from interlock.domain.contract import Contract, InProcess
from interlock.domain.errors import EffectorError
from interlock.domain.ids import ContractName


class Offered:
    """What a program that reaches its control plane over a network runs itself."""

    def __init__(self, functions: InProcessEffectors) -> None:
        self._functions = functions

    def has(self, name: str, key: str) -> bool:
        """See `OwnTools`."""
        return not self._functions.missing(InProcess(name=name), key)

    async def call(self, name: str, arguments: dict[str, JsonValue], call: Call, timeout_ms: int) -> Answer:
        """See `OwnTools`. Of the contract, which is the server's, nothing is known here but the name and the time."""
        target = InProcess(name=name)
        contract = Contract(
            name=ContractName(name), input_schema={}, effect="write", risk="low", target=target, timeout_ms=timeout_ms
        )
        try:
            return await self._functions.invoke(contract, target, "run", arguments, call)
        except EffectorError as error:
            return Nothing(error.detail)
