"""OpenID Connect, authorization code with PKCE: `authlib` words what is asked, `joserfc` looks at the answer.

What the provider publishes of itself is fetched within bounds and kept for minutes; it must name itself as interlock.yaml names
it, and every address in it must be behind TLS or on this machine. Of the answer only the ID token counts. Loaded by its name.

https://openid.net/specs/openid-connect-core-1_0.html, RFC 7636 (PKCE), RFC 9207 (whose answer it is).
"""

from pathlib import Path
from typing import Any, Final

import anyio
import httpx
import msgspec
from authlib.oauth2 import rfc7636
from authlib.oauth2.rfc6749 import parameters

from interlock.adapters.addresses import is_safe
from interlock.adapters.attesting.published import MAX_BYTES, TIMEOUT_S, Published, fetched
from interlock.adapters.attesting.tokens import parts_of, payload_of
from interlock.adapters.exchange import BROKEN, exchanged
from interlock.adapters.references import NoSecret, secret_at
from interlock.domain.duration import MINUTE
from interlock.domain.errors import EffectorError, NotAllowed
from interlock.domain.providing import EMAIL, IdClaims, Named, SignInProvider, person_in, unlike_id_token
from interlock.ports.identity_provider import Round

KEPT_MS: Final = 10 * MINUTE

_parameters: Final[Any] = parameters
_pkce: Final[Any] = rfc7636
"""Authlib says nothing of its types."""
_REFUSALS: Final = (400, 401)
"""RFC 6749 section 5.2."""


class _Configuration(msgspec.Struct, frozen=True):
    """What is read of `/.well-known/openid-configuration`."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    authorization_response_iss_parameter_supported: bool = False


class _Answer(msgspec.Struct, frozen=True):
    id_token: str


_answer: Final = msgspec.json.Decoder(_Answer)
_configuration: Final = msgspec.json.Decoder(_Configuration)
_claims: Final = msgspec.json.Decoder(IdClaims)
_anything: Final = msgspec.json.Decoder(dict[str, object])


class OidcProvider:
    """See `IdentityProvider`."""

    def __init__(
        self, provider: SignInProvider, folder: Path, *, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        self._definition = provider
        self._folder = folder
        self._transport = transport
        self._published = Published(folder, transport)
        self._known: _Configuration | None = None
        self._asked_at = 0

    @property
    def called(self) -> str:
        """See `IdentityProvider.called`."""
        return self._definition.called

    async def address(self, way: Round, *, back: str) -> str:
        """See `IdentityProvider.address`."""
        known = await self._published_by(0)
        address: str = _parameters.prepare_grant_uri(
            known.authorization_endpoint,
            self._definition.client,
            "code",
            redirect_uri=back,
            scope="openid email" if self._definition.claim == EMAIL else "openid profile email",
            state=way.state,
            nonce=way.nonce,
            code_challenge=_pkce.create_s256_code_challenge(way.verifier),
            code_challenge_method="S256",
        )
        return address

    async def named(self, way: Round, code: str, *, back: str, issuer: str, now: int) -> Named:
        """See `IdentityProvider.named`."""
        known = await self._published_by(now)
        if issuer != known.issuer and (issuer or known.authorization_response_iss_parameter_supported):
            raise NotAllowed("the answer is of another identity provider than was asked")
        token = await self._exchanged(known, way, code, back)
        header, _ = parts_of(token)
        payload = await payload_of(token, header, self._published, known.jwks_uri, "sig", now)
        try:
            claims, extra = _claims.decode(payload), _anything.decode(payload)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise NotAllowed("the identity provider's token does not say what one must") from None
        why = unlike_id_token(claims, self._definition, way.nonce, now)
        person = person_in(claims, extra, self._definition)
        if why or not person:
            raise NotAllowed(why or f"the identity provider names nobody by a `{self._definition.claim}` that counts")
        return Named(subject=f"{claims.iss} {claims.sub}", person=person)

    async def _exchanged(self, known: _Configuration, way: Round, code: str, back: str) -> str:
        """The ID token that the code is good for, not yet looked at."""
        secret = _secret(self._definition.secret, self._folder)
        asked: str = _parameters.prepare_token_request(
            "authorization_code",
            code=code,
            redirect_uri=back,
            code_verifier=way.verifier,
            client_id="" if secret else self._definition.client,
        )
        try:
            with anyio.fail_after(TIMEOUT_S):
                status, body = await self._sent(known.token_endpoint, asked, secret)
            if status in _REFUSALS:
                raise NotAllowed("the identity provider does not know this sign-in, or it was finished before")
            if status != 200:
                raise ValueError(f"answered {status}")
            return _answer.decode(body).id_token
        except BROKEN as error:
            raise _unreachable(self._definition.issuer, error) from None

    async def _sent(self, address: str, form: str, secret: str) -> tuple[int, bytes]:
        """What a form is answered with, within bounds."""
        return await exchanged(
            "POST",
            address,
            {"content-type": "application/x-www-form-urlencoded"},
            form,
            auth=httpx.BasicAuth(self._definition.client, secret) if secret else None,
            most_bytes=MAX_BYTES,
            timeout_s=TIMEOUT_S,
            transport=self._transport,
        )

    async def _published_by(self, now: int) -> _Configuration:
        """What the provider says of itself; `now` 0: whatever is known will do."""
        if self._known is not None and now - self._asked_at < KEPT_MS:
            return self._known
        issuer = self._definition.issuer
        try:
            with anyio.fail_after(TIMEOUT_S):
                data = await fetched(
                    f"{issuer.rstrip('/')}/.well-known/openid-configuration", transport=self._transport
                )
            known = _configuration.decode(data)
        except BROKEN as error:
            raise _unreachable(issuer, error) from None
        if known.issuer != issuer:
            raise EffectorError("the identity provider calls itself otherwise than interlock.yaml does")
        for each in (known.authorization_endpoint, known.token_endpoint, known.jwks_uri):
            if not is_safe(each):
                raise EffectorError("the identity provider names an address that is not behind TLS")
        self._known, self._asked_at = known, now
        return known


def _secret(place: str, folder: Path) -> str:
    """Our secret, read each time: it may have been replaced. Raises EffectorError, which does not repeat it."""
    if not place:
        return ""
    try:
        return secret_at(place, folder)
    except NoSecret as error:
        raise EffectorError(f"the secret for the identity provider is not where interlock.yaml says: {error}") from None


def _unreachable(issuer: str, error: Exception) -> EffectorError:
    return EffectorError(
        f"the identity provider `{issuer}` does not answer as one does: {type(error).__name__}",
        next_step="sign in by a one-time link meanwhile: `interlock account link NAME`",
    )
