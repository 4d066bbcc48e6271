"""Actions on boards.

https://developers.pinterest.com/docs/api/v5/boards-create/
https://developers.pinterest.com/docs/api/v5/boards-update/
https://developers.pinterest.com/docs/api/v5/boards-list/

Pinterest takes no idempotency keys. A board is identified by its name, which is unique in an account: first the account
is searched to make sure that it has none with that name, so one found afterwards is the one that was created.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from integrations.connectors.pinterest import choices, samples
from integrations.connectors.pinterest.access import SECRET_BOARD, SECRET_BOARDS, insist
from integrations.connectors.pinterest.actions.checks import board_findings, name_findings
from integrations.connectors.pinterest.actions.reading_back import ReadsBoards
from integrations.connectors.pinterest.client import PinterestClient
from integrations.connectors.pinterest.ids import board_link, is_id, wrong_ids
from integrations.connectors.pinterest.lists import MOST_RECORDS, cut_warning, newest_first
from integrations.connectors.pinterest.records import board_data
from integrations.core.errors import OutcomeUnknownError, RejectedError
from integrations.core.messages import Request, Response
from integrations.core.sameness import same
from integrations.framework.base import Action, Effect, Writing
from integrations.framework.checks import Facts, Finding
from integrations.framework.recovery import Proof
from integrations.schema.documents import Document, Named
from integrations.schema.schema import Schema, field
from integrations.transport.http import ApiClient

#: How far Pinterest's clock and ours may differ.
_CLOCKS = timedelta(minutes=5)
PICK_BOARD = "Pick one, or take the board's ID from an earlier step."


class CreateBoard(ReadsBoards, Action):
    """Create a board."""

    key = "create_board"
    name = "Create board"
    words = ("collection", "mood board", "album", "folder")
    effect = Effect.CREATES
    undo_words = "The board is deleted, as long as it has no pins."
    scopes = ("boards:read", "boards:write")
    scopes_of_values = {"privacy": {"SECRET": SECRET_BOARD}}
    sample = samples.BOARD

    class Inputs(Schema):
        name: str = field("Name", max_length=180, tidy=True)
        description: str | None = field("Description", default=None, max_length=500, long=True)
        privacy: choices.NewBoardPrivacy = field(
            "Who sees it",
            default=choices.NewBoardPrivacy.PUBLIC,
            help="Pinterest keeps protected boards for advertising. Secret ones need a permission of their own.",
        )
        if_there: choices.IfThere = field("If there is a board of that name", default=choices.IfThere.STOP)

    def prepare(self, api: ApiClient, inputs: Inputs) -> dict[str, Any] | None:
        """The account's board with that name. Raises RejectedError if there must be none."""
        insist(self, api, {"privacy": inputs.privacy.value})
        there = next((each for each in _own(api) if same(each["name"], inputs.name)), None)
        if there is not None and inputs.if_there is choices.IfThere.STOP:
            raise RejectedError(f'There is a board called "{there["name"]}" already; nothing was written.')
        return there

    def settled(self, inputs: Inputs, found: Any) -> dict[str, Any] | None:
        return dict(found) if found else None

    def request(self, inputs: Inputs, writing: Writing) -> Request:
        body = {"name": inputs.name, "privacy": inputs.privacy.value}
        if inputs.description:
            body["description"] = inputs.description
        return Request.of_json("POST", "/boards", body)

    def output(self, response: Response) -> dict[str, Any]:
        return board_data(answered(response))

    def find(
        self, api: ApiClient, inputs: Inputs, marker: str, *, since: datetime | None = None
    ) -> list[dict[str, Any]]:
        """The account's boards with exactly that name, created since then."""
        return [each for each in _own(api) if each["name"] == inputs.name and is_since(each, since)]

    def proof(self, inputs: Inputs) -> Proof:
        return Proof.LIKENESS

    def there(self, api: ApiClient, inputs: Inputs, marker: str) -> list[str]:
        """None: `prepare` has checked."""
        return []

    def differs(self, inputs: Inputs, hit: Mapping[str, Any]) -> str:
        if hit["privacy"] != inputs.privacy.value:
            return f"it is {str(hit['privacy']).lower()}"
        if str(hit["description"] or "").strip() != (inputs.description or "").strip():
            return "its description is another"
        return ""

    def strays(
        self, api: ApiClient, inputs: Inputs, marker: str, *, since: datetime | None = None
    ) -> list[dict[str, Any]] | None:
        """The account's boards created since then, whatever their name: people rename boards."""
        return [each for each in _own(api) if is_since(each, since)]

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
        facts = (("Name", inputs.name), ("Who sees it", str(inputs.privacy.label)))
        described = (("Description", inputs.description),) if inputs.description else ()
        return Document(what="Board", organisation=str(organisation.get("username") or ""), facts=(*facts, *described))


class UpdateBoard(ReadsBoards, Action):
    """Change a board's name, description or privacy.

    What is left empty stays as it is.
    """

    key = "update_board"
    name = "Update board"
    words = ("edit", "change", "rename", "collection", "description")
    effect = Effect.UPDATES
    scopes = ("boards:read", "boards:write")
    scopes_of_values = {"privacy": {"SECRET": SECRET_BOARD}}
    sample = samples.BOARD
    # The board itself shows whether it was done, and doing it twice gives the same.
    lookup_reliable = True
    no_undo = "Pinterest keeps no earlier name, description or privacy of a board."

    class Inputs(Schema):
        board_id: str = field("Board", choices=choices.own_boards, max_length=25, help=PICK_BOARD)
        name: str | None = field("New name", default=None, max_length=180, tidy=True)
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

    def prepare(self, api: ApiClient, inputs: Inputs) -> dict[str, Any]:
        """The board as it is. Raises RejectedError if a permission is missing."""
        insist(self, api, {"privacy": inputs.privacy.value})
        return board_data(api.read(f"/boards/{inputs.board_id}").json())

    def proof(self, inputs: Inputs) -> Proof:
        return Proof.STATE

    def settled(self, inputs: Inputs, found: Any) -> dict[str, Any] | None:
        return dict(found) if _is_as_wanted(found, inputs) else None

    def seen(self, inputs: Inputs, found: Any) -> dict[str, Any]:
        return {name: found[name] for name in _changes(inputs)}

    def request(self, inputs: Inputs, writing: Writing) -> Request:
        return Request.of_json("PATCH", f"/boards/{inputs.board_id}", _changes(inputs))

    def output(self, response: Response) -> dict[str, Any]:
        return board_data(answered(response))

    def find(
        self, api: ApiClient, inputs: Inputs, marker: str, *, since: datetime | None = None
    ) -> list[dict[str, Any]]:
        """The board, if it matches the inputs."""
        board = board_data(api.read(f"/boards/{inputs.board_id}").json())
        return [board] if _is_as_wanted(board, inputs) else []

    def identify(self, output: Mapping[str, Any]) -> str:
        return str(output["id"])

    def link(self, output: Mapping[str, Any], organisation: Mapping[str, Any]) -> str:
        return board_link(output)

    def describe(self, output: Mapping[str, Any]) -> str:
        return f"Board {output['name']}, changed"

    def checks(self, facts: Facts, inputs: Inputs, found: Any) -> Iterable[Finding]:
        yield from board_findings(facts, inputs.board_id)
        yield from name_findings(facts, inputs.name, inputs.board_id)

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
    words = ("collections", "mood boards", "albums")
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
    """The record in the answer to a write. Raises OutcomeUnknownError for an answer without one."""
    record = response.json()
    if not isinstance(record, dict) or not is_id(str(record.get("id") or "")):
        raise OutcomeUnknownError("Pinterest said yes without an ID; whether it wrote is not known.")
    return record


def is_since(record: Mapping[str, Any], since: datetime | None) -> bool:
    """Whether a record may have been created since then; true if it has no date."""
    if since is None or not record.get("created_at"):
        return True
    return datetime.fromisoformat(record["created_at"]).astimezone(UTC) >= since - _CLOCKS


def _own(api: ApiClient) -> Iterator[dict[str, Any]]:
    """The account's own boards, without those that others share with it and name themselves."""
    assert isinstance(api, PinterestClient)
    me = api.connection.details.get("username")
    for page in api.pages("/boards"):
        for board in map(board_data, page):
            if not me or board["owner"] in {me, ""}:
                yield board


def _is_as_wanted(board: Mapping[str, Any], inputs: UpdateBoard.Inputs) -> bool:
    return all(board[name] == value for name, value in _changes(inputs).items())


def _changes(inputs: UpdateBoard.Inputs) -> dict[str, str]:
    changes = {"name": (inputs.name or "").strip(), "description": inputs.description or ""}
    if inputs.privacy is not choices.ChangedPrivacy.KEEP:
        changes["privacy"] = inputs.privacy.value
    return {name: value for name, value in changes.items() if value}
