"""Deleting a board or a pin. Pinterest can restore neither, so a backup is kept first.

https://developers.pinterest.com/docs/api/v5/boards-delete/
https://developers.pinterest.com/docs/api/v5/pins-delete/

A deletion is confirmed by the board or pin being gone. One that did not happen is not sent again automatically, because
the backup would be out of date; a person decides, and then a new backup is made.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import simplejson

from integrations.connectors.pinterest import choices, samples
from integrations.connectors.pinterest.actions.boards import PICK_BOARD
from integrations.connectors.pinterest.actions.checks import board_findings
from integrations.connectors.pinterest.actions.reading_back import ReadsBoards, ReadsPins
from integrations.connectors.pinterest.client import PinterestClient
from integrations.connectors.pinterest.ids import pin_id, wrong_ids
from integrations.connectors.pinterest.names import Names
from integrations.connectors.pinterest.records import board_data, pin_data
from integrations.core.errors import OutcomeUnknownError, RejectedError, TemporaryError
from integrations.core.messages import Request, Response
from integrations.framework.base import Action, Backup, Confirmation, Effect, Writing
from integrations.framework.checks import Facts, Finding
from integrations.framework.current import RecordState
from integrations.framework.recovery import Proof
from integrations.schema.documents import Document, Named
from integrations.schema.schema import Schema, field
from integrations.transport.http import ApiClient

#: The most pins in a backup, which takes forty calls to read. A board with more is not deleted.
MOST_PINS_KEPT = 10_000
MOST_SECTIONS_KEPT = 1_000
ANY_BOARD = "delete any board"


class DeleteBoard(ReadsBoards, Action):
    """Delete a board with its sections and all its pins; a backup is kept first.

    The backup holds the board, its sections and its pins as Pinterest returns them: texts, links and the URLs of the
    pictures, not the pictures. A board that could not be read completely is not deleted.
    """

    key = "delete_board"
    name = "Delete board"
    words = ("remove", "collection", "album")
    effect = Effect.DELETES
    scopes = ("boards:read", "boards:write", "pins:read")
    sample = samples.DELETED_BOARD
    leaves = RecordState.DELETED
    no_undo = "Pinterest cannot bring a deleted board back. The backup on the run's page holds what it was."
    confirmation = Confirmation(target="board_id", typed="confirmation", sentence=ANY_BOARD)

    class Inputs(Schema):
        board_id: str = field("Board", choices=choices.own_boards, max_length=25, help=PICK_BOARD)
        confirmation: str = field(
            "Confirm by name",
            max_length=180,
            help="Type the board's name as it stands above. Where the run decides which board it is, type: "
            f"{ANY_BOARD}. All pins on it are deleted too, and Pinterest cannot bring them back.",
        )

        def check(self) -> Mapping[str, str]:
            """The id becomes part of an address."""
            return wrong_ids(board_id=self.board_id)

    def prepare(self, api: ApiClient, inputs: Inputs) -> dict[str, Any]:
        """Everything that will be deleted, as Pinterest returns it: board, sections, pins.

        Raises RejectedError for a board with another name than the confirmed one, somebody else's board, or one with
        more pins or sections than a backup holds; TemporaryError if fewer pins were read than Pinterest counts.
        """
        assert isinstance(api, PinterestClient)
        path = f"/boards/{inputs.board_id}"
        board = api.read(path).json()
        self._insist(api, inputs, board_data(board))
        sections = api.listing(f"{path}/sections", most=MOST_SECTIONS_KEPT)
        pins = api.listing(f"{path}/pins", most=MOST_PINS_KEPT)
        if sections.is_cut or pins.is_cut:
            raise RejectedError(_too_large(board_data(board)))
        counted = board_data(board)["pin_count"]
        if len(pins.records) < counted:
            raise TemporaryError(
                f'Pinterest counts {counted} pins on the board "{board.get("name")}" but told only '
                f"{len(pins.records)}, so the backup would not be whole. Nothing was deleted."
            )
        return {"board": board, "sections": sections.records, "pins": pins.records}

    def _insist(self, api: ApiClient, inputs: Inputs, board: Mapping[str, Any]) -> None:
        name, me = str(board["name"]), api.connection.details.get("username")
        if inputs.confirmation.strip() not in {name.strip(), ANY_BOARD}:
            raise RejectedError(
                f'The board is called "{name}" at Pinterest, but "{inputs.confirmation}" was confirmed. '
                "Nothing was deleted. Look at the board, then confirm its name in the step."
            )
        if me and board["owner"] not in {me, ""}:
            raise RejectedError(f'The board "{name}" belongs to {board["owner"]}, so only they can delete it.')
        if board["pin_count"] > MOST_PINS_KEPT:
            raise RejectedError(_too_large(board))

    def remember(self, found: Any) -> dict[str, Any]:
        board = {**board_data(found["board"]), "pin_count": len(found["pins"])}
        return {**board, "section_count": len(found["sections"])}

    def backup(self, found: Any) -> Backup:
        title = f"Board {found['board'].get('name')} with {len(found['pins'])} pins"
        return Backup(title=title, content=_kept("pinterest.board", found))

    def request(self, inputs: Inputs, writing: Writing) -> Request:
        return Request("DELETE", f"/boards/{inputs.board_id}")

    def output(self, response: Response) -> dict[str, Any]:
        return _deleted(response)

    def proof(self, inputs: Inputs) -> Proof:
        return Proof.STATE

    def find(
        self, api: ApiClient, inputs: Inputs, marker: str, *, since: datetime | None = None
    ) -> list[dict[str, Any]]:
        """The board, if it is gone."""
        return _gone(api, f"/boards/{inputs.board_id}", inputs.board_id)

    def identify(self, output: Mapping[str, Any]) -> str:
        return str(output["id"])

    def describe(self, output: Mapping[str, Any]) -> str:
        return f"Board {output['name']}, deleted with its {output['pin_count']} pins"

    def checks(self, facts: Facts, inputs: Inputs, found: Any) -> Iterable[Finding]:
        return board_findings(facts, inputs.board_id)

    def document(self, inputs: Inputs, organisation: Mapping[str, Any]) -> Document:
        return Document(
            what="Deletion of a board",
            organisation=str(organisation.get("username") or ""),
            whom=Named(inputs.board_id, choices.own_boards),
            whom_label="Board",
            notes=(
                "All its sections and pins go with it, and Pinterest cannot bring them back.",
                "A backup of what they say is kept first.",
            ),
        )


class DeletePin(ReadsPins, Action):
    """Delete a pin; what it says is kept first."""

    key = "delete_pin"
    name = "Delete pin"
    words = ("remove", "picture", "image", "post")
    effect = Effect.DELETES
    scopes = ("boards:read", "boards:write", "pins:read", "pins:write")
    sample = samples.DELETED_PIN
    leaves = RecordState.DELETED
    no_undo = "Pinterest cannot bring a deleted pin back. The backup on the run's page holds what it was."

    class Inputs(Schema):
        pin: str = field("Pin", max_length=300, help="Its ID from an earlier step, or its address at Pinterest.")

        def check(self) -> Mapping[str, str]:
            """The id becomes part of an address."""
            return no_pin(self.pin)

    def prepare(self, api: ApiClient, inputs: Inputs) -> dict[str, Any]:
        """The pin that will be deleted, and the names of its board and section."""
        return read_pin(api, pin_id(inputs.pin))

    def remember(self, found: Any) -> dict[str, Any]:
        return pin_data(found["pin"], board_name=found["board_name"], section_name=found["section_name"])

    def backup(self, found: Any) -> Backup:
        title = f"Pin {found['pin'].get('title') or found['pin']['id']}"
        return Backup(title=title, content=_kept("pinterest.pin", found))

    def request(self, inputs: Inputs, writing: Writing) -> Request:
        return Request("DELETE", f"/pins/{pin_id(inputs.pin)}")

    def output(self, response: Response) -> dict[str, Any]:
        return _deleted(response)

    def proof(self, inputs: Inputs) -> Proof:
        return Proof.STATE

    def find(
        self, api: ApiClient, inputs: Inputs, marker: str, *, since: datetime | None = None
    ) -> list[dict[str, Any]]:
        """The pin, if it is gone."""
        return _gone(api, f"/pins/{pin_id(inputs.pin)}", pin_id(inputs.pin))

    def identify(self, output: Mapping[str, Any]) -> str:
        return str(output["id"])

    def describe(self, output: Mapping[str, Any]) -> str:
        return f"Pin {output['title'] or output['id']}, deleted"

    def document(self, inputs: Inputs, organisation: Mapping[str, Any]) -> Document:
        return Document(
            what="Deletion of a pin",
            organisation=str(organisation.get("username") or ""),
            facts=(("Pin", pin_id(inputs.pin)),),
            notes=("Pinterest cannot bring it back. A backup of what it says is kept first.",),
        )


def read_pin(api: ApiClient, identity: str) -> dict[str, Any]:
    """A pin as Pinterest returns it, with `board_name` and `section_name`."""
    assert isinstance(api, PinterestClient)
    pin = api.read(f"/pins/{identity}").json()
    names = Names(api, None)
    return {"pin": pin, "board_name": names.of_board(pin), "section_name": names.of_section(pin)}


def no_pin(given: str) -> dict[str, str]:
    """For a Schema's check(): what is wrong with an input `pin` that is neither an id nor a URL of a pin."""
    if pin_id(given):
        return {}
    wanted = "Give the ID, or the address at Pinterest, as https://www.pinterest.com/pin/813744226420795884/."
    return {"pin": f'"{given[:60]}" is neither. {wanted}'}


def _kept(what: str, found: Mapping[str, Any]) -> bytes:
    """The backup, with exact numbers and the provider's own field names, so that it can be read without Pinxero."""
    kept = {"what": what, **found}
    return simplejson.dumps(kept, use_decimal=True, ensure_ascii=False, allow_nan=False, indent=1).encode()


def _deleted(response: Response) -> dict[str, Any]:
    """Success has no content. A page with content may come from a proxy in front of Pinterest."""
    if response.body.strip():
        raise OutcomeUnknownError("Pinterest said yes in a way that is not its own; whether it deleted is not known.")
    return {"is_deleted": True}


def _gone(api: ApiClient, path: str, identity: str) -> list[dict[str, Any]]:
    try:
        api.read(path)
    except RejectedError as error:
        if error.status != 404:
            raise
        return [{"id": identity, "is_deleted": True}]
    return []


def _too_large(board: Mapping[str, Any]) -> str:
    return (
        f'The board "{board["name"]}" has more than {MOST_PINS_KEPT:,} pins or {MOST_SECTIONS_KEPT:,} sections, more '
        "than a backup holds. Nothing was deleted. Delete it at Pinterest itself, or some of its pins first."
    )
