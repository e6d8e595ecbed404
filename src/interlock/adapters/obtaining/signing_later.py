"""Signing in place of a secret, loaded when it is first asked for: it is an optional part of the installation."""

from importlib import import_module

from interlock.domain.errors import EffectorError


def signed(text: str, *, client: str, audience: str, key_id: str, now: int) -> dict[str, str]:
    """The fields of a form by which `client` proves itself with the private key `text`. Raises EffectorError."""
    try:
        module = import_module("interlock.adapters.obtaining.assertion")
    except ModuleNotFoundError:
        raise EffectorError(
            "nothing can be signed for a token: the library for it is not installed",
            next_step="install it: `pip install 'interlock[identity]'`",
        ) from None
    made: str = module.assertion(text, client=client, audience=audience, key_id=key_id, now=now)
    return {"client_id": client, "client_assertion_type": str(module.TYPE), "client_assertion": made}
