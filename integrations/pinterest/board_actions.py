"""Actions on boards.

https://developers.pinterest.com/docs/api/v5/boards-create/
https://developers.pinterest.com/docs/api/v5/boards-update/
https://developers.pinterest.com/docs/api/v5/boards-list/

Pinterest takes no idempotency keys. A board is known by its name, of which an account has one: that none was there
before is looked up first, so one that is there afterwards is the one that was made.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from integrations.base import Action, Effect, Writing
from integrations.documents import Document, Named
from integrations.errors import OutcomeUnknownError, RejectedError
from integrations.http import ApiClient, Request, Response
from integrations.pinterest import choices, samples
from integrations.pinterest.access import SECRET_BOARD, SECRET_BOARDS, insist
from integrations.pinterest.client import PinterestClient
from integrations.pinterest.ids import is_id, wrong_ids
from integrations.pinterest.links import board_link
from integrations.pinterest.lists import MOST_RECORDS, cut_warning, newest_first
from integrations.pinterest.records import board_data
from integrations.schema import Schema, field

#: Pinterest's clock and ours may differ by so much.
_CLOCKS = timedelta(minutes=5)
PICK_BOARD = "Pick one, or take the board's ID from an earlier step."


class CreateBoard(Action):
    """Create a board."""

    key = "create_board"
    name = "Create board"
    effect = Effect.CREATES
    scopes = ("boards:read", "boards:write")
    scopes_of_values = {"privacy": {"SECRET": SECRET_BOARD}}
    sample = samples.BOARD
    lookup_reliable = True

    class Inputs(Schema):
        name: str = field("Name", max_length=180)
        description: str | None = field("Description", default=None, max_length=500, long=True)
        privacy: choices.NewBoardPrivacy = field(
            "Who sees it",
            default=choices.NewBoardPrivacy.PUBLIC,
            help="Pinterest keeps protected boards for advertising. Secret ones need a permission of their own.",
        )
        if_there: choices.IfThere = field("If there is a board of that name", default=choices.IfThere.STOP)

        def check(self) -> Mapping[str, str]:
            """A name of blanks is none."""
            return {} if self.name.strip() else {"name": "Name is needed, but nothing was given."}

    def prepare(self, api: ApiClient, inputs: Inputs) -> dict[str, Any] | None:
        """The account's board of that name. Raises RejectedError where there is to be none."""
        insist(self, api, {"privacy": inputs.privacy.value})
        there = next((each for each in _own(api) if each["name"].casefold() == inputs.name.strip().casefold()), None)
        if there is not None and inputs.if_there is choices.IfThere.STOP:
            raise RejectedError(f'There is a board called "{there["name"]}" already; nothing was written.')
        return there

    def settled(self, inputs: Inputs, found: Any) -> dict[str, Any] | None:
        return dict(found) if found else None

    def request(self, inputs: Inputs, writing: Writing) -> Request:
        body = {"name": inputs.name.strip(), "privacy": inputs.privacy.value}
        if inputs.description:
            body["description"] = inputs.description
        return Request.of_json("POST", "/boards", body)

    def output(self, response: Response) -> dict[str, Any]:
        return board_data(answered(response))

    def find(
        self, api: ApiClient, inputs: Inputs, marker: str, *, since: datetime | None = None
    ) -> list[dict[str, Any]]:
        """The account's boards of that very name, made since then."""
        return [each for each in _own(api) if each["name"] == inputs.name.strip() and is_since(each, since)]

    def identify(self, output: Mapping[str, Any]) -> str:
        return str(output["id"])

    def link(self, output: Mapping[str, Any], organisation: Mapping[str, Any]) -> str:
        return board_link(output)

    def describe(self, output: Mapping[str, Any]) -> str:
        return f"Board {output['name']} ({str(output['privacy']).lower()})"

    def undo(self, api: ApiClient, output: Mapping[str, Any], organisation: Mapping[str, Any]) -> Request | None:
        """Deletes the board, as long as nobody has put pins on it."""
        board = board_data(api.read(f"/boards/{output['id']}").json())
        if board["pin_count"]:
            raise RejectedError(
                f"The board {board['name']} has {board['pin_count']} pins by now, which would be lost with it. "
                "Use Delete board for that: it keeps a backup."
            )
        return Request("DELETE", f"/boards/{output['id']}")

    def document(self, inputs: Inputs, organisation: Mapping[str, Any]) -> Document:
        facts = (("Name", inputs.name.strip()), ("Who sees it", str(inputs.privacy.label)))
        described = (("Description", inputs.description),) if inputs.description else ()
        return Document(what="Board", organisation=str(organisation.get("username") or ""), facts=(*facts, *described))


class UpdateBoard(Action):
    """Change a board's name, description or privacy.

    What is left empty stays as it is.
    """

    key = "update_board"
    name = "Update board"
    effect = Effect.UPDATES
    scopes = ("boards:read", "boards:write")
    scopes_of_values = {"privacy": {"SECRET": SECRET_BOARD}}
    sample = samples.BOARD
    # The board itself tells whether it was done, and doing it twice gives the same.
    lookup_reliable = True
    no_undo = "Pinterest keeps no earlier name, description or privacy of a board."

    class Inputs(Schema):
        board_id: str = field("Board", choices=choices.own_boards, max_length=25, help=PICK_BOARD)
        name: str | None = field("New name", default=None, max_length=180)
        description: str | None = field("New description", default=None, max_length=500, long=True)
        privacy: choices.ChangedPrivacy = field(
            "Who sees it",
            default=choices.ChangedPrivacy.KEEP,
            help="Secret needs a permission of its own. Pinterest makes no board protected afterwards.",
        )

        def check(self) -> Mapping[str, str]:
            """The id, and that there is something to change."""
            if not _changes(self):
                return {"name": "Nothing is to be changed. Fill in a name, a description or who sees it."}
            return wrong_ids(board_id=self.board_id)

    def prepare(self, api: ApiClient, inputs: Inputs) -> None:
        """Only the permission is looked at. Raises RejectedError where it is missing."""
        insist(self, api, {"privacy": inputs.privacy.value})

    def request(self, inputs: Inputs, writing: Writing) -> Request:
        return Request.of_json("PATCH", f"/boards/{inputs.board_id}", _changes(inputs))

    def output(self, response: Response) -> dict[str, Any]:
        return board_data(answered(response))

    def find(
        self, api: ApiClient, inputs: Inputs, marker: str, *, since: datetime | None = None
    ) -> list[dict[str, Any]]:
        """The board, if it is as it should become."""
        board = board_data(api.read(f"/boards/{inputs.board_id}").json())
        return [board] if all(board[name] == value for name, value in _changes(inputs).items()) else []

    def identify(self, output: Mapping[str, Any]) -> str:
        return str(output["id"])

    def link(self, output: Mapping[str, Any], organisation: Mapping[str, Any]) -> str:
        return board_link(output)

    def describe(self, output: Mapping[str, Any]) -> str:
        return f"Board {output['name']}, changed"

    def document(self, inputs: Inputs, organisation: Mapping[str, Any]) -> Document:
        labels = {"name": "New name", "description": "New description", "privacy": "Who sees it"}
        facts = tuple(
            (labels[name], value.title() if name == "privacy" else value) for name, value in _changes(inputs).items()
        )
        return Document(
            what="Change of a board",
            whom=Named(inputs.board_id, choices.own_boards),
            whom_label="Board",
            organisation=str(organisation.get("username") or ""),
            facts=facts,
        )


class ListBoards(Action):
    """List the account's boards, those that are shared with it included."""

    key = "list_boards"
    name = "List boards"
    effect = Effect.READS
    scopes = ("boards:read",)
    scopes_of_values = {"privacy": {"SECRET": SECRET_BOARDS, "PUBLIC_AND_SECRET": SECRET_BOARDS}}
    sample = samples.BOARDS

    class Inputs(Schema):
        privacy: choices.BoardPrivacy = field(
            "Boards", default=choices.BoardPrivacy.ALL, help="Secret boards are seen only where that was agreed to."
        )
        name_contains: str | None = field("Name contains", default=None, max_length=180)
        most: int = field("At most", default=250, minimum=1, maximum=MOST_RECORDS)

    def run(self, api: ApiClient, inputs: Inputs) -> dict[str, Any]:
        assert isinstance(api, PinterestClient)
        insist(self, api, {"privacy": inputs.privacy.value})
        part = (inputs.name_contains or "").casefold()
        listing = api.listing(
            "/boards",
            {"privacy": inputs.privacy.value},
            most=inputs.most,
            wanted=lambda board: part in str(board.get("name") or "").casefold(),
        )
        found = newest_first(board_data(board) for board in listing.records)
        warning = cut_warning("boards", inputs.most) if listing.is_cut else ""
        return {"boards": found, "count": len(found), "is_cut": listing.is_cut, "warning": warning}

    def describe(self, output: Mapping[str, Any]) -> str:
        return f"{output['count']} boards"


def answered(response: Response) -> dict[str, Any]:
    """The record that a write gave back. Raises OutcomeUnknownError for an answer without one."""
    record = response.json()
    if not isinstance(record, dict) or not is_id(str(record.get("id") or "")):
        raise OutcomeUnknownError("Pinterest said yes without an ID; whether it wrote is not known.")
    return record


def is_since(record: Mapping[str, Any], since: datetime | None) -> bool:
    """Whether a record may have been made since then; one that does not tell when may."""
    if since is None or not record.get("created_at"):
        return True
    return datetime.fromisoformat(record["created_at"]).astimezone(UTC) >= since - _CLOCKS


def _own(api: ApiClient) -> Iterator[dict[str, Any]]:
    """The account's own boards: others share theirs with it, whose names are theirs to give."""
    assert isinstance(api, PinterestClient)
    me = api.connection.details.get("username")
    for page in api.pages("/boards"):
        for board in map(board_data, page):
            if not me or board["owner"] in {me, ""}:
                yield board


def _changes(inputs: UpdateBoard.Inputs) -> dict[str, str]:
    changes = {"name": (inputs.name or "").strip(), "description": inputs.description or ""}
    if inputs.privacy is not choices.ChangedPrivacy.KEEP:
        changes["privacy"] = inputs.privacy.value
    return {name: value for name, value in changes.items() if value}
