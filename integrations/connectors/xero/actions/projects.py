"""Actions on projects: a separate API from accounting, with different field names and errors.

https://developer.xero.com/documentation/api/projects/projects
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from integrations.connectors.xero.actions.reading_back import PROJECT_KIND, ReadsBack
from integrations.connectors.xero.answers import complete, given
from integrations.connectors.xero.checks.contacts import contact_findings
from integrations.connectors.xero.client import PROJECTS, XeroClient
from integrations.connectors.xero.fields import choices
from integrations.connectors.xero.fields.document_preview import shown_document
from integrations.connectors.xero.plain import money
from integrations.connectors.xero.samples import records as samples
from integrations.connectors.xero.search.contacts import is_guid
from integrations.connectors.xero.search.documents import no_id
from integrations.core.errors import OutcomeUnknownError
from integrations.core.messages import Request, Response
from integrations.framework.base import Action, Effect, Writing
from integrations.framework.checks import Facts, Finding
from integrations.framework.recovery import Proof
from integrations.schema.documents import Document
from integrations.schema.schema import Schema, field
from integrations.transport.http import ApiClient

#: The largest page of projects that Xero allows.
_PAGE_SIZE = 500


class CreateProject(ReadsBack, Action):
    """Create a project for a contact.

    A project has no text but its name, so there is no room for a marker: it is found by contact and name, leaving out
    those that existed before, and one that is not found is not sent again automatically.
    """

    key = "create_project"
    name = "Create project"
    words = ("job", "time", "engagement")
    effect = Effect.CREATES
    undo_words = "The project is closed, because Xero's API deletes none."
    scopes = ("projects",)
    sample = samples.PROJECT
    record_kind = PROJECT_KIND
    key_window = 300

    class Inputs(Schema):
        contact_id: str = field(
            "Contact",
            choices=choices.contacts,
            max_length=36,
            help="Pick one, take that of an earlier step, or have it found or created first.",
        )
        name: str = field("Name", max_length=255, tidy=True)
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
        """The contact's open projects with this name."""
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

    def proof(self, inputs: Inputs) -> Proof:
        return Proof.LIKENESS

    def differs(self, inputs: Inputs, hit: Mapping[str, Any]) -> str:
        if _second(hit.get("deadlineUtc")) != (
            inputs.deadline and inputs.deadline.astimezone(UTC).replace(microsecond=0)
        ):
            return f"its deadline is {hit.get('deadlineUtc') or 'empty'}"
        estimate = (hit.get("estimate") or {}).get("value")
        if (estimate or None) != (inputs.estimate_amount or None):
            return f"its estimate is {money(estimate) if estimate else 'empty'}"
        return ""

    def identify(self, output: Mapping[str, Any]) -> str:
        return str(output["projectId"])

    def undo(self, api: ApiClient, output: Mapping[str, Any], organisation: Mapping[str, Any]) -> Request | None:
        """Close the project: Xero's API cannot delete one."""
        return Request.of_json("PATCH", f"{PROJECTS}/{self.identify(output)}", {"status": "CLOSED"})

    def checks(self, facts: Facts, inputs: Inputs, found: Any) -> Iterable[Finding]:
        return contact_findings(facts, "contact_id", inputs.contact_id)

    def document(self, inputs: Inputs, organisation: Mapping[str, Any]) -> Document:
        return shown_document("Project", inputs, organisation)

    def describe(self, output: Mapping[str, Any]) -> str:
        return f"Project {output['name']}"


def _second(text: Any) -> datetime | None:
    """A time from Xero, to the second."""
    return datetime.fromisoformat(str(text)).astimezone(UTC).replace(microsecond=0) if text else None
