"""The relay over a workspace: who asks for models, whom to ask instead, and the program of ours that meters it."""

import os
from pathlib import Path

from interlock.adapters.model_providers_later import LaterProviders
from interlock.bootstrap.site import settled
from interlock.domain.bearer import Bearer
from interlock.domain.borne import Borne
from interlock.domain.hosting import Hosting
from interlock.domain.ids import AgentName
from interlock.domain.model_route import Models
from interlock.relay.answering import Answering
from interlock.relay.app import Relay
from interlock.relay.metering import Metering
from interlock.relay.standing import Standing
from interlock.relay.tasks import Tasks
from interlock.sdk.connection import Connection
from interlock.services.plane import ControlPlane


def relay(folder: Path, plane: ControlPlane, connection: Connection) -> Relay:
    """The relay of the workspace in `folder`, which asks for uses of models as the program behind `connection`. Close it.

    Raises WorkspaceError."""
    settings = settled(folder).settings
    return relay_of(settings.models, settings.gateway, folder, plane, connection)


def relay_of(models: Models, hosting: Hosting, folder: Path, plane: ControlPlane, connection: Connection) -> Relay:
    """The same, by what a workspace says."""

    async def admit(borne: Borne) -> Bearer:
        return await plane.bearing.admit(borne, "models")

    async def allowed(agent: AgentName) -> tuple[str, ...]:
        found = (await plane.orders.current()).agents.get(agent)
        return () if found is None else found.models

    means = plane.means
    providers = LaterProviders(folder, os.environ)
    standing = Standing(plane.bearing.must_stand, plane.uses.must_go_on)
    answering = Answering(models, providers, Metering(connection, plane.uses), standing, means.ids)
    tasks = Tasks(connection, plane.orders, means.store, means.clock)
    return Relay(models, hosting, admit, tasks, answering, allowed, providers)
