"""Actions on projects: an API of its own beside the accounting one, with another spelling and other errors.

https://developer.xero.com/documentation/api/projects/projects
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from integrations.base import Action, Effect, Writing
from integrations.documents import Document
from integrations.errors import OutcomeUnknownError
from integrations.http import ApiClient, Request, Response
from integrations.schema import Schema, field
from integrations.xero import choices, samples
from integrations.xero.answers import complete, given
from integrations.xero.client import PROJECTS, XeroClient
from integrations.xero.contact_search import is_guid
from integrations.xero.document_search import no_id
from integrations.xero.papers import paper

#: The most that Xero puts on a page of projects.
_PAGE_SIZE = 500


class CreateProject(Action):
    """Create a project for a contact.

    A project keeps no text but its name, so there is no room for a marker: it is found by contact and name, and one
    that is not found is not sent again by itself.
    """

    key = "create_project"
    name = "Create project"
    effect = Effect.CREATES
    scopes = ("projects",)
    sample = samples.PROJECT
    key_window = 300

    class Inputs(Schema):
        contact_id: str = field(
            "Contact",
            choices=choices.contacts,
            max_length=36,
            help="Pick one, or take the ContactID that an earlier step found or created.",
        )
        name: str = field("Name", max_length=255)
        deadline: datetime | None = field("Deadline", default=None, help="Without a time zone it counts as UTC.")
        estimate_amount: Decimal | None = field(
            "Estimate", default=None, minimum=0, decimal_places=2, help="In the organisation's own currency."
        )

        def check(self) -> Mapping[str, str]:
            """The contact's id."""
            is_id = is_guid(self.contact_id)
            return {} if is_id else {"contact_id": no_id(self.contact_id, "contact", samples.CONTACT["ContactID"])}

    def request(self, inputs: Inputs, writing: Writing) -> Request:
        deadline = inputs.deadline and inputs.deadline.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        record = given(
            {
                "contactId": inputs.contact_id,
                "name": inputs.name,
                "deadlineUtc": deadline,
                "estimateAmount": inputs.estimate_amount,
            }
        )
        return Request.of_json("POST", PROJECTS, record)

    def output(self, response: Response) -> dict[str, Any]:
        record = response.json()
        if not isinstance(record, dict) or not record.get("projectId"):
            raise OutcomeUnknownError("Xero said yes without an id; whether it wrote is not known.")
        return complete(record, samples.PROJECT)

    def find(
        self, api: ApiClient, inputs: Inputs, marker: str, *, since: datetime | None = None
    ) -> list[dict[str, Any]]:
        """The contact's open projects of this name."""
        assert isinstance(api, XeroClient)
        found: list[dict[str, Any]] = []
        for page in range(1, 100):
            query = {"contactID": inputs.contact_id, "states": "INPROGRESS"}
            body = api.read(PROJECTS, {**query, "page": str(page), "pageSize": str(_PAGE_SIZE)}).json()
            projects = body.get("items") or []
            found += [project for project in projects if project.get("name") == inputs.name.strip()]
            if len(projects) < _PAGE_SIZE:
                break
        return [complete(project, samples.PROJECT) for project in found]

    def identify(self, output: Mapping[str, Any]) -> str:
        return str(output["projectId"])

    def undo(self, api: ApiClient, output: Mapping[str, Any], organisation: Mapping[str, Any]) -> Request | None:
        """Close the project: Xero's API deletes none."""
        return Request.of_json("PATCH", f"{PROJECTS}/{self.identify(output)}", {"status": "CLOSED"})

    def document(self, inputs: Inputs, organisation: Mapping[str, Any]) -> Document:
        return paper("Project", inputs, organisation)

    def describe(self, output: Mapping[str, Any]) -> str:
        return f"Project {output['name']}"
