"""Actions on the sections of a board.

https://developers.pinterest.com/docs/api/v5/board_sections-create/
https://developers.pinterest.com/docs/api/v5/board_sections-list/

A section has only a name, so there is no room for a marker. First the board is searched to make sure that it has none
with that name, so one found afterwards is the one that was created.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from integrations.connectors.pinterest import choices, samples
from integrations.connectors.pinterest.actions.boards import PICK_BOARD, answered
from integrations.connectors.pinterest.actions.checks import board_findings
from integrations.connectors.pinterest.actions.reading_back import ReadsSections
from integrations.connectors.pinterest.client import PinterestClient
from integrations.connectors.pinterest.ids import wrong_ids
from integrations.connectors.pinterest.lists import MOST_RECORDS, cut_warning
from integrations.connectors.pinterest.records import section_data
from integrations.core.errors import RejectedError
from integrations.core.messages import Request, Response
from integrations.core.sameness import same
from integrations.framework.base import Action, Effect, Writing
from integrations.framework.checks import Facts, Finding
from integrations.framework.recovery import Proof
from integrations.schema.documents import Document, Named
from integrations.schema.schema import Schema, field
from integrations.transport.http import ApiClient


class CreateSection(ReadsSections, Action):
    """Create a section of a board."""

    key = "create_section"
    name = "Create section"
    words = ("folder", "sub-board", "category")
    effect = Effect.CREATES
    undo_words = "The section is deleted, as long as it has no pins."
    scopes = ("boards:read", "boards:write")
    sample = samples.SECTION

    class Inputs(Schema):
        board_id: str = field("Board", choices=choices.boards, max_length=25, help=PICK_BOARD)
        name: str = field("Name", max_length=180, tidy=True)
        if_there: choices.IfThere = field("If the board has a section of that name", default=choices.IfThere.STOP)

        def check(self) -> Mapping[str, str]:
            """The id becomes part of an address."""
            return wrong_ids(board_id=self.board_id)

    def prepare(self, api: ApiClient, inputs: Inputs) -> dict[str, Any]:
        """The board, and its section with that name. Raises RejectedError if there must be none."""
        board = {"board_id": inputs.board_id, "board_name": board_name(api, inputs.board_id)}
        there = next((each for each in _sections(api, inputs.board_id) if same(each["name"], inputs.name)), None)
        if there is not None and inputs.if_there is choices.IfThere.STOP:
            raise RejectedError(
                f'"{board["board_name"]}" has a section called "{there["name"]}" already; nothing was written.'
            )
        return {**board, "there": there and section_data(there, **board)}

    def settled(self, inputs: Inputs, found: Any) -> dict[str, Any] | None:
        return dict(found["there"]) if found["there"] else None

    def remember(self, found: Any) -> dict[str, Any]:
        return {"board_id": found["board_id"], "board_name": found["board_name"]}

    def request(self, inputs: Inputs, writing: Writing) -> Request:
        return Request.of_json("POST", f"/boards/{inputs.board_id}/sections", {"name": inputs.name})

    def output(self, response: Response) -> dict[str, Any]:
        return section_data(answered(response), board_id="", board_name="")

    def find(
        self, api: ApiClient, inputs: Inputs, marker: str, *, since: datetime | None = None
    ) -> list[dict[str, Any]]:
        """The board's sections with exactly that name."""
        return [
            section_data(each, board_id=inputs.board_id, board_name="")
            for each in _sections(api, inputs.board_id)
            if each["name"] == inputs.name
        ]

    def proof(self, inputs: Inputs) -> Proof:
        return Proof.LIKENESS

    def there(self, api: ApiClient, inputs: Inputs, marker: str) -> list[str]:
        """None: `prepare` has checked."""
        return []

    def identify(self, output: Mapping[str, Any]) -> str:
        return str(output["id"])

    def describe(self, output: Mapping[str, Any]) -> str:
        return f"Section {output['name']} of {output['board_name'] or 'a board'}"

    def undo(self, api: ApiClient, output: Mapping[str, Any], organisation: Mapping[str, Any]) -> Request | None:
        """Deletes the section, as long as it has no pins."""
        assert isinstance(api, PinterestClient)
        path = f"/boards/{output['board_id']}/sections/{output['id']}"
        if api.listing(f"{path}/pins", most=1).records:
            raise RejectedError(f"The section {output['name']} holds pins by now, which would be lost with it.")
        return Request("DELETE", path)

    def checks(self, facts: Facts, inputs: Inputs, found: Any) -> Iterable[Finding]:
        return board_findings(facts, inputs.board_id)

    def document(self, inputs: Inputs, organisation: Mapping[str, Any]) -> Document:
        return Document(
            what="Section of a board",
            organisation=str(organisation.get("username") or ""),
            whom=Named(inputs.board_id, choices.boards),
            whom_label="Board",
            facts=(("Name", inputs.name),),
        )


class ListSections(Action):
    """List the sections of a board."""

    key = "list_sections"
    name = "List sections"
    words = ("folders", "sub-board", "categories")
    effect = Effect.READS
    scopes = ("boards:read",)
    sample = samples.SECTIONS

    class Inputs(Schema):
        board_id: str = field("Board", choices=choices.boards, max_length=25, help=PICK_BOARD)
        most: int = field("At most", default=250, minimum=1, maximum=MOST_RECORDS)

        def check(self) -> Mapping[str, str]:
            """The id becomes part of an address."""
            return wrong_ids(board_id=self.board_id)

    def run(self, api: ApiClient, inputs: Inputs) -> dict[str, Any]:
        assert isinstance(api, PinterestClient)
        board = {"board_id": inputs.board_id, "board_name": board_name(api, inputs.board_id)}
        listing = api.listing(f"/boards/{inputs.board_id}/sections", most=inputs.most)
        found = [section_data(each, **board) for each in listing.records]
        warning = cut_warning("sections", inputs.most) if listing.is_cut else ""
        return {"sections": found, "count": len(found), "is_cut": listing.is_cut, "warning": warning, **board}

    def describe(self, output: Mapping[str, Any]) -> str:
        return f"{output['count']} sections of {output['board_name']}"


def board_name(api: ApiClient, board_id: str) -> str:
    """The board's name. Raises RejectedError if there is no such board."""
    return str(api.read(f"/boards/{board_id}").json().get("name") or "")


def _sections(api: ApiClient, board_id: str) -> list[dict[str, Any]]:
    assert isinstance(api, PinterestClient)
    listed = [each for page in api.pages(f"/boards/{board_id}/sections") for each in page]
    return [{**each, "name": str(each.get("name") or "")} for each in listed]
