"""Who a program is, over HTTP: recognised by an identity provider, renewed in time, recognised anew once its credential is
over."""

from __future__ import annotations

import time
from pathlib import Path

import msgspec
import pytest

import interlock
from interlock.domain.errors import NotAllowed
from tests.adapters.issuers import Provider, signed
from tests.remote.world import Reached, reached

IDENTITY = """\
identity:
  attest: [local, oidc]
  oidc:
    - issuer: https://ci.example
      audience: interlock
      keys: {keys}/jwks
      subjects: {{"repo:acme/shop": [ag]}}
"""


class Showing:
    """A program's token, exchanged each time it is asked for."""

    def __init__(self, provider: Provider, subject: str = "repo:acme/shop") -> None:
        self.provider, self.subject = provider, subject
        self.asked = 0

    def __call__(self, agent: str) -> str:
        """The next one."""
        self.asked += 1
        now = int(time.time())
        said = {"iss": "https://ci.example", "aud": "interlock", "sub": self.subject, "exp": now + 300, "iat": now}
        return signed(self.provider.ec, {"alg": "ES256", "kid": "ec"}, said | {"agent": agent})


def shorter(site: Reached, lasts_ms: int) -> None:
    """How long credentials last from now on: less than a file may say."""
    enrolment = site.plane.enrolment
    enrolment._attestation = msgspec.structs.replace(enrolment._attestation, lasts_ms=lasts_ms)


@pytest.mark.proves("remote.renewed")
def test_a_credential_is_renewed_before_it_is_over_and_recognised_anew_after(tmp_path: Path) -> None:
    """At two thirds of its life the next one is had for the one that is held; once it is over, for another word of the
    provider's. The program's calls notice neither."""
    with Provider() as provider, reached(tmp_path, identity=IDENTITY.format(keys=provider.address)) as site:
        shorter(site, 6_000)
        shows = Showing(provider)
        with (
            interlock.open(site.address, attest="oidc", evidence=shows) as client,
            client.task("ag", purpose="test") as task,
        ):
            done = [task.propose("box.look", word="a")]
            for rest in (4.2, 7.2):
                time.sleep(rest)
                asked = shows.asked
                done.append(task.propose("box.look", word="a"))
                assert shows.asked - asked == (rest > 6)
        enrolled = len(site.road.asked("/enrol"))

    assert all(isinstance(each, interlock.Done) for each in done)
    assert enrolled == 3


@pytest.mark.proves("remote.renewed")
def test_who_is_not_recognised_acts_as_nobody(tmp_path: Path) -> None:
    """A subject that the workspace does not name, and a text that nobody signed, get no credential, and no task."""
    with (
        Provider() as provider,
        Provider() as stranger,
        reached(tmp_path, identity=IDENTITY.format(keys=provider.address)) as site,
    ):
        for evidence in (Showing(provider, "repo:evil/shop"), "not.a.token", Showing(stranger)):
            with (
                interlock.open(site.address, attest="oidc", evidence=evidence) as client,
                pytest.raises(NotAllowed),
                client.task("ag", purpose="test"),
            ):
                pass
        assert site.road.asked("/tasks") == []
