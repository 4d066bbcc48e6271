"""What starts a workflow without a provider: the clock, a URL, a person, a file, a program."""

from __future__ import annotations

from integrations.connectors.start.schedule import OnSchedule
from integrations.connectors.start.triggers import ByAddress, ByApi, ByHand, ByWorkflow, FromFile
from integrations.framework.base import Connector
from integrations.transport.http import ApiClient


class StartConnector(Connector):
    """Starts that need no connection and make no calls."""

    key = "start"
    name = "Start"
    account_noun = "start"
    client_class = ApiClient
    needs_connection = False
    operations = (OnSchedule, ByAddress, ByHand, FromFile, ByWorkflow, ByApi)


connector = StartConnector()
