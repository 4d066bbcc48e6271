"""What starts a workflow without a provider: the clock, an address of its own, a person, a file, a program."""

from __future__ import annotations

from integrations.base import Connector
from integrations.http import ApiClient
from integrations.start.schedule import OnSchedule
from integrations.start.triggers import ByAddress, ByApi, ByHand, ByWorkflow, FromFile


class StartConnector(Connector):
    """Starts that need no connection; nothing is ever asked of anybody."""

    key = "start"
    name = "Start"
    account_noun = "start"
    client_class = ApiClient
    needs_connection = False
    operations = (OnSchedule, ByAddress, ByHand, FromFile, ByWorkflow, ByApi)


connector = StartConnector()
