"""RFC 3161 time stamps by `rfc3161-client`, an optional part of the installation (`interlock[timestamps]`).

Loaded by its name when somebody stamps or checks a stamp. The token that is kept is the authority's whole answer, DER, as
`openssl ts -verify -in` reads it. What a token states is believed only if the certificate it was given for has signed it, for
exactly these bytes; a nonce is asked for, so that an answer cannot be an old one.
"""

from hashlib import sha256
from pathlib import Path
from typing import Final

from cryptography import x509
from rfc3161_client import (
    HashAlgorithm,
    TimestampRequestBuilder,
    TimeStampResponse,
    VerificationError,
    VerifierBuilder,
    decode_timestamp_response,
)

from interlock.adapters.cosigning import posted
from interlock.domain.anchoring import MAX_TOKEN_BYTES
from interlock.domain.errors import WitnessError
from interlock.domain.note import NoteError
from interlock.domain.statement import milliseconds

_ASKED: Final = {"content-type": "application/timestamp-query"}


class TimeStamping:
    """See `ports.cosigning.Stamper`: one authority, by its address and its certificates (PEM, its own first, its root last)."""

    def __init__(self, url: str, certificates: Path) -> None:
        self._url = url
        try:
            self._chain = x509.load_pem_x509_certificates(certificates.read_bytes())
        except (OSError, ValueError) as error:
            raise WitnessError(
                f"`{certificates}` holds no certificates of an authority: {error}",
                next_step="name a PEM file: the authority's certificate first, its root last",
            ) from None

    async def stamp(self, data: bytes) -> bytes:
        """See `Stamper.stamp`."""
        asked = TimestampRequestBuilder().data(data).hash_algorithm(HashAlgorithm.SHA256).nonce(nonce=True).build()
        status, body = await posted(self._url, asked.as_bytes(), _ASKED)
        if status != 200 or len(body) > MAX_TOKEN_BYTES:
            raise WitnessError(f"the time-stamping authority answered {status}, {len(body)} bytes")
        try:
            answer = decode_timestamp_response(body)
            if answer.tst_info.nonce != asked.nonce:
                raise WitnessError("the time-stamping authority answered an older question")
            self.check(body, data)
        except (NoteError, ValueError) as error:
            raise WitnessError(f"the time-stamping authority's answer is none: {error}") from None
        return body

    def check(self, token: bytes, data: bytes) -> int:
        """See `Stamper.check`."""
        try:
            answer = decode_timestamp_response(token)
            return self._checked(answer, data)
        except (ValueError, VerificationError) as error:
            raise NoteError(f"its time stamp does not verify: {error}") from None

    def _checked(self, answer: TimeStampResponse, data: bytes) -> int:
        info = answer.tst_info
        # The library compares the imprint under the algorithm the token names; ours is always this one.
        if bytes(info.message_imprint.message) != sha256(data).digest():
            raise NoteError("its time stamp is over other bytes")
        builder = VerifierBuilder(tsa_certificate=self._chain[0]).add_root_certificate(self._chain[-1])
        for each in self._chain[1:-1]:
            builder = builder.add_intermediate_certificate(each)
        builder.build().verify_message(answer, data)
        return milliseconds(info.gen_time)
