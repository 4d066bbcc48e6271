"""Actions on pins.

https://developers.pinterest.com/docs/api/v5/pins-create/
https://developers.pinterest.com/docs/api/v5/pins-list/

Pinterest takes no idempotency keys and a pin has no field for a marker. Its link has room for one: a parameter that web
sites ignore, like those of campaigns. A pin without a link, or with one that must not be changed, is identified by all
its contents. Then equal pins already on the board are recorded before it is sent, which reads the board once; none of
them is taken for it, and if the pin is not found a person decides.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from integrations.connectors.pinterest import choices, samples
from integrations.connectors.pinterest.actions.boards import PICK_BOARD, answered, is_since
from integrations.connectors.pinterest.actions.checks import board_findings, picture_findings, section_findings
from integrations.connectors.pinterest.actions.deletions import no_pin, read_pin
from integrations.connectors.pinterest.actions.reading_back import ReadsPins
from integrations.connectors.pinterest.client import PinterestClient
from integrations.connectors.pinterest.ids import pin_id, wrong_ids
from integrations.connectors.pinterest.lists import MOST_RECORDS, cut_warning, newest_first
from integrations.connectors.pinterest.names import Names
from integrations.connectors.pinterest.records import pin_data, utc_text
from integrations.core.messages import Request, Response
from integrations.framework.base import Action, Effect, Writing
from integrations.framework.checks import Facts, Finding
from integrations.framework.recovery import Proof
from integrations.schema.documents import Document, Named
from integrations.schema.schema import Schema, field
from integrations.transport.http import ApiClient
from integrations.transport.url_rules import problem_on_the_web

#: The name of the parameter in a link that holds the marker.
_PARAMETER = "px_run"
_LONGEST_LINK = 2048


class CreatePin(ReadsPins, Action):
    """Create a pin from a picture on the web."""

    key = "create_pin"
    name = "Create pin"
    words = ("post", "publish", "picture", "image", "photo", "product", "item", "social media")
    effect = Effect.CREATES
    undo_words = "The pin is deleted."
    scopes = ("boards:read", "boards:write", "pins:read", "pins:write")
    sample = samples.PIN

    class Inputs(Schema):
        board_id: str = field("Board", choices=choices.boards, max_length=25, help=PICK_BOARD)
        image_url: str = field(
            "Picture", max_length=2048, help="Its address on the web, where Pinterest fetches it: https://..."
        )
        title: str | None = field("Title", default=None, max_length=100)
        description: str | None = field("Description", default=None, max_length=800, long=True)
        link: str | None = field(
            "Link", default=None, max_length=_LONGEST_LINK, help="Where a click on the pin leads, as https://..."
        )
        alt_text: str | None = field(
            "Alternative text",
            default=None,
            max_length=500,
            help="What the picture shows, for those who cannot see it.",
        )
        section_id: str | None = field(
            "Section", choices=choices.sections, default=None, max_length=25, help="One of the chosen board's."
        )
        mark_link: bool = field(
            "Mark the link",
            default=True,
            help=f"Adds {_PARAMETER}=... to the link, by which the pin is known again if Pinterest's answer is lost.",
        )

        def check(self) -> Mapping[str, str]:
            """Valid ids and URLs."""
            found = dict(wrong_ids(board_id=self.board_id, section_id=self.section_id))
            for name, value in {"image_url": self.image_url, "link": self.link}.items():
                if value and (said := problem_on_the_web(value.strip())):
                    found[name] = said
            return found

    def prepare(self, api: ApiClient, inputs: Inputs) -> dict[str, str]:
        """The names of the board and the section. Raises RejectedError if there is no such board."""
        names = Names(_client(api), inputs.board_id)
        place = {"board_id": inputs.board_id, "board_section_id": inputs.section_id}
        return {"board_name": names.of_board(place), "section_name": names.of_section(place)}

    def remember(self, found: Any) -> dict[str, Any]:
        return dict(found)

    def request(self, inputs: Inputs, writing: Writing) -> Request:
        body: dict[str, Any] = {
            "board_id": inputs.board_id,
            "media_source": {"source_type": "image_url", "url": inputs.image_url.strip()},
            **_said(inputs),
        }
        if inputs.link:
            body["link"] = _marked(inputs, writing.marker)
        if inputs.section_id:
            body["board_section_id"] = inputs.section_id
        return Request.of_json("POST", "/pins", body)

    def output(self, response: Response) -> dict[str, Any]:
        return pin_data(answered(response), board_name="", section_name="")

    def find(
        self, api: ApiClient, inputs: Inputs, marker: str, *, since: datetime | None = None
    ) -> list[dict[str, Any]]:
        """The board's pins created since then whose link has the marker or, without a marked link, whose contents are
        equal."""
        section = f"/sections/{inputs.section_id}" if inputs.section_id else ""
        found = []
        for page in _client(api).pages(f"/boards/{inputs.board_id}{section}/pins"):
            for pin in (pin_data(each, board_name="", section_name="") for each in page):
                if _is_it(pin, inputs, marker) and is_since(pin, since):
                    found.append(pin)
        return found

    def proof(self, inputs: Inputs) -> Proof:
        return Proof.MARKER if _is_marked(inputs) else Proof.LIKENESS

    def identify(self, output: Mapping[str, Any]) -> str:
        return str(output["id"])

    def link(self, output: Mapping[str, Any], organisation: Mapping[str, Any]) -> str:
        return str(output["url"])

    def describe(self, output: Mapping[str, Any]) -> str:
        on_board = f" on {output['board_name']}" if output["board_name"] else ""
        return f"Pin {output['title'] or output['id']}{on_board}"

    def undo(self, api: ApiClient, output: Mapping[str, Any], organisation: Mapping[str, Any]) -> Request | None:
        return Request("DELETE", f"/pins/{output['id']}")

    def checks(self, facts: Facts, inputs: Inputs, found: Any) -> Iterable[Finding]:
        yield from board_findings(facts, inputs.board_id)
        yield from section_findings(facts, inputs.board_id, inputs.section_id)
        yield from picture_findings(facts, inputs.image_url)

    def document(self, inputs: Inputs, organisation: Mapping[str, Any]) -> Document:
        said = {"Title": inputs.title, "Description": inputs.description, "Link": inputs.link}
        facts = {**said, "Alternative text": inputs.alt_text, "Picture": inputs.image_url}
        section = (("Section", Named(inputs.section_id, choices.sections)),) if inputs.section_id else ()
        is_marked = bool(inputs.link) and inputs.mark_link
        return Document(
            what="Pin",
            organisation=str(organisation.get("username") or ""),
            whom=Named(inputs.board_id, choices.boards),
            whom_label="Board",
            facts=(*section, *((label, text) for label, text in facts.items() if text)),
            notes=(f"{_PARAMETER}=... is added to the link, by which the pin is known again.",) if is_marked else (),
        )


class GetPin(Action):
    """Read a pin."""

    key = "get_pin"
    name = "Get pin"
    words = ("picture", "image", "photo", "post", "find", "read")
    effect = Effect.READS
    scopes = ("boards:read", "pins:read")
    sample = samples.PIN

    class Inputs(Schema):
        pin: str = field("Pin", max_length=300, help="Its ID from an earlier step, or its address at Pinterest.")

        def check(self) -> Mapping[str, str]:
            """The id becomes part of an address."""
            return no_pin(self.pin)

    def run(self, api: ApiClient, inputs: Inputs) -> dict[str, Any]:
        found = read_pin(api, pin_id(inputs.pin))
        return pin_data(found["pin"], board_name=found["board_name"], section_name=found["section_name"])

    def link(self, output: Mapping[str, Any], organisation: Mapping[str, Any]) -> str:
        return str(output["url"])

    def describe(self, output: Mapping[str, Any]) -> str:
        return f"Pin {output['title'] or output['id']}"


class ListPins(Action):
    """List the pins of the account, of a board or of a section, newest first."""

    key = "list_pins"
    name = "List pins"
    words = ("pictures", "images", "photos", "posts", "products")
    effect = Effect.READS
    scopes = ("boards:read", "pins:read")
    sample = samples.PINS

    class Inputs(Schema):
        board_id: str | None = field(
            "Board", choices=choices.boards, default=None, max_length=25, help="Left empty: the account's pins on all."
        )
        section_id: str | None = field(
            "Section", choices=choices.sections, default=None, max_length=25, help="One of the chosen board's."
        )
        pin_type: choices.PinType = field("Kind of pin", default=choices.PinType.ALL)
        pin_filter: choices.PinFilter = field(
            "Pins", default=choices.PinFilter.ALL, help="Where no board is chosen only."
        )
        created_from: date | None = field("Created on or after", default=None, help="By the day in UTC.")
        include_protected: bool = field(
            "Those of protected boards too", default=False, help="Where no board is chosen only."
        )
        most: int = field("At most", default=250, minimum=1, maximum=MOST_RECORDS)

        def check(self) -> Mapping[str, str]:
            """Valid ids, and inputs that must be given together."""
            found = dict(wrong_ids(board_id=self.board_id, section_id=self.section_id))
            if self.section_id and not self.board_id:
                found["section_id"] = "Choose the board of this section, too."
            if self.board_id and self.pin_filter is not choices.PinFilter.ALL:
                found["pin_filter"] = "Pinterest filters like this only where no board is chosen."
            return found

    def run(self, api: ApiClient, inputs: Inputs) -> dict[str, Any]:
        path, query = _where(inputs)
        first_day = inputs.created_from.isoformat() if inputs.created_from else ""

        def is_wanted(pin: dict[str, Any]) -> bool:
            is_kind = inputs.pin_type is choices.PinType.ALL or pin.get("creative_type") == inputs.pin_type.value
            return is_kind and (utc_text(pin.get("created_at")) or "") >= first_day

        listing = _client(api).listing(path, query, most=inputs.most, wanted=is_wanted)
        names = Names(_client(api), inputs.board_id)
        found = newest_first(
            pin_data(pin, board_name=names.of_board(pin), section_name=names.of_section(pin)) for pin in listing.records
        )
        warning = cut_warning("pins", inputs.most) if listing.is_cut else ""
        return {"pins": found, "count": len(found), "is_cut": listing.is_cut, "warning": warning}

    def describe(self, output: Mapping[str, Any]) -> str:
        return f"{output['count']} pins"


def _where(inputs: ListPins.Inputs) -> tuple[str, dict[str, str]]:
    if inputs.board_id:
        section = f"/sections/{inputs.section_id}" if inputs.section_id else ""
        return f"/boards/{inputs.board_id}{section}/pins", {}
    query = {} if inputs.pin_filter is choices.PinFilter.ALL else {"pin_filter": inputs.pin_filter.value}
    return "/pins", {**query, **({"include_protected_pins": "true"} if inputs.include_protected else {})}


def _client(api: ApiClient) -> PinterestClient:
    assert isinstance(api, PinterestClient)
    return api


def _said(inputs: CreatePin.Inputs) -> dict[str, str]:
    said = {"title": inputs.title, "description": inputs.description, "alt_text": inputs.alt_text}
    return {name: text for name, text in said.items() if text}


def _marked(inputs: CreatePin.Inputs, marker: str) -> str:
    """The link with the marker in it, unless it must not be changed or would become too long."""
    link = (inputs.link or "").strip()
    parts = urlsplit(link)
    query = f"{parts.query}&{_PARAMETER}={marker}" if parts.query else f"{_PARAMETER}={marker}"
    marked = urlunsplit(parts._replace(query=query))
    return marked if inputs.mark_link and len(marked) <= _LONGEST_LINK else link


def _is_marked(inputs: CreatePin.Inputs) -> bool:
    """Whether the link has a marker in it."""
    marker = "PX-0123456789abcdef"
    return bool(inputs.link) and marker in _marked(inputs, marker)


def _is_it(pin: Mapping[str, Any], inputs: CreatePin.Inputs, marker: str) -> bool:
    link = _marked(inputs, marker) if inputs.link else ""
    if marker in link:
        return marker in pin["link"]
    said = {"title": "", "description": "", "alt_text": "", **_said(inputs)}
    return pin["link"] == link and all(pin[name].strip() == text.strip() for name, text in said.items())
