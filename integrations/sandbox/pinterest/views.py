"""The addresses under /v5: account, boards, pins."""

import base64
import binascii
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from django.db.models import QuerySet
from django.urls import path

from integrations.sandbox.exchange import fault_dial
from integrations.sandbox.exchange.answers import Answer, Unreadable, json_answer, loads
from integrations.sandbox.exchange.exchange import Call
from integrations.sandbox.models import Board, Pin, Section
from integrations.sandbox.oauth import tokens
from integrations.sandbox.pinterest import store
from integrations.sandbox.pinterest.gate import refusal, resource

PRIVACY = ("PUBLIC", "PROTECTED", "SECRET")
_TRIAL = (
    "Apps with Trial access may not create Pins in production https://api.pinterest.com - "
    "use API Sandbox https://api-sandbox.pinterest.com instead."
)
_BUSY = "Could not get exclusive access to the board to create a new section."
_PIN_FILTERS = ("exclude_native", "exclude_repins", "has_been_promoted")
_PIN_LIMITS = {"title": 100, "description": 800, "link": 2048, "alt_text": 500}
_MAX_PAGE, _DEFAULT_PAGE = 250, 25


def _invalid(message: str) -> Exception:
    return refusal(400, 1, message)


def _has(call: Call, scope: str) -> bool:
    return call.token is not None and scope in call.token.scope.split()


def get_account(call: Call) -> Answer:
    return json_answer(
        {
            "id": tokens.PINTEREST_USER["id"],
            "username": tokens.PINTEREST_USER["username"],
            "account_type": "BUSINESS",
            "profile_image": "https://images.pinworks.example/profile.jpg",
            "website_url": "https://pinworks.example",
            "business_name": "Pinworks",
            "board_count": Board.objects.count(),
            "pin_count": Pin.objects.count(),
            "follower_count": 0,
            "following_count": 0,
            "monthly_views": 0,
        }
    )


def list_boards(call: Call) -> Answer:
    found = store.boards()
    if not _has(call, "boards:read_secret"):
        found = found.exclude(privacy="SECRET")
    privacy = call.request.GET.get("privacy", "ALL")
    wanted = {"ALL": PRIVACY, "PUBLIC_AND_SECRET": ("PUBLIC", "SECRET")}.get(privacy, (privacy,))
    if not set(wanted) <= set(PRIVACY):
        raise _invalid(f"Invalid request: {privacy!r} is not a privacy setting.")
    return _page(call, found.filter(privacy__in=wanted), store.board)


def create_board(call: Call) -> Answer:
    body = _body(call)
    privacy = "PROTECTED" if body.get("is_ads_only") else body.get("privacy", "PUBLIC")
    name, description = _board_name(body), _text(body, "description", 500)
    if privacy not in PRIVACY:
        raise _invalid(f"Invalid request: privacy is one of {', '.join(PRIVACY)}.")
    _allowed(call, privacy)
    made = store.add_board(name, description, privacy)
    call.wrote(f"created board {name}", made.board_id)
    return json_answer(store.board(made), 201)


def update_board(call: Call, board_id: str) -> Answer:
    """PATCH: a board can become PUBLIC or SECRET, never PROTECTED."""
    board = _own_board(call, board_id)
    body = _body(call)
    unknown = set(body) - {"name", "description", "privacy"}
    if unknown:
        raise _invalid(f"Invalid request: {', '.join(sorted(unknown))} cannot be changed.")
    if "name" in body:
        board.name = _board_name(body, own_id=board.board_id)
    if "description" in body:
        board.description = _text(body, "description", 500)
    if "privacy" in body:
        if body["privacy"] not in {"PUBLIC", "SECRET"}:
            raise _invalid("Invalid request: privacy is PUBLIC or SECRET.")
        board.privacy = _allowed(call, body["privacy"])
    board.save()
    call.wrote(f"updated board {board.name}", board.board_id)
    return json_answer(store.board(board))


def delete_board(call: Call, board_id: str) -> Answer:
    """Its sections and pins are deleted too."""
    board = _own_board(call, board_id)
    call.wrote(f"deleted board {board.name}", board.board_id)
    board.delete()
    return Answer(204)


def _own_board(call: Call, board_id: str) -> Board:
    return _board(call, board_id, "boards:write_secret")


def _allowed(call: Call, privacy: str) -> str:
    if privacy == "SECRET" and not _has(call, "boards:write_secret"):
        raise refusal(403, 29, "You are not permitted to access that resource. Secret boards need boards:write_secret.")
    return privacy


def _board_name(body: dict[str, Any], own_id: str = "") -> str:
    name = _text(body, "name", 180)
    if not name:
        raise _invalid("Invalid request: name is required.")
    if Board.objects.filter(name__iexact=name).exclude(board_id=own_id).exists():
        raise refusal(400, 58, "Invalid board parameters. The board name is invalid or duplicated.")
    return name


def get_board(call: Call, board_id: str) -> Answer:
    return json_answer(store.board(_board(call, board_id, "boards:read_secret")))


def list_board_pins(call: Call, board_id: str) -> Answer:
    board = _board(call, board_id, "pins:read_secret")
    return _page(call, Pin.objects.filter(board=board).order_by("-position"), store.pin)


def _board(call: Call, board_id: str, secret_scope: str) -> Board:
    board = Board.objects.filter(board_id=board_id).first()
    if board is None or (board.privacy == "SECRET" and not _has(call, secret_scope)):
        raise refusal(404, 40, "Board not found.")
    return board


def list_sections(call: Call, board_id: str) -> Answer:
    board = _board(call, board_id, "boards:read_secret")
    return _page(call, Section.objects.filter(board=board).order_by("-position"), store.section)


def create_section(call: Call, board_id: str) -> Answer:
    board = _own_board(call, board_id)
    name = _text(_body(call), "name", 180)
    if not name:
        raise _invalid("Invalid request: name is required, with at most 180 characters.")
    if fault_dial.roll(call.arrival, 5) < fault_dial.current().p_section_conflict:
        raise refusal(409, 409, _BUSY)
    made = store.add_section(board, name)
    call.wrote(f"created section {name}", made.section_id)
    return json_answer(store.section(made), 201)


def update_section(call: Call, board_id: str, section_id: str) -> Answer:
    section = _section(_own_board(call, board_id), section_id)
    name = _text(_body(call), "name", 180)
    if not name:
        raise refusal(400, 400, "Invalid board section parameters.")
    section.name = name
    section.save()
    call.wrote(f"updated section {name}", section.section_id)
    return json_answer(store.section(section))


def delete_section(call: Call, board_id: str, section_id: str) -> Answer:
    """Its pins are deleted too."""
    section = _section(_own_board(call, board_id), section_id)
    call.wrote(f"deleted section {section.name}", section.section_id)
    Pin.objects.filter(section=section).delete()
    section.delete()
    return Answer(204)


def list_section_pins(call: Call, board_id: str, section_id: str) -> Answer:
    section = _section(_board(call, board_id, "pins:read_secret"), section_id)
    return _page(call, Pin.objects.filter(section=section).order_by("-position"), store.pin)


def _section(board: Board, section_id: str) -> Section:
    found = Section.objects.filter(board=board, section_id=section_id).first()
    if found is None:
        raise refusal(404, 2031, "Board section not found.")
    return found


def list_pins(call: Call) -> Answer:
    """All of the user's pins. Those of protected boards are left out unless asked for."""
    query = call.request.GET
    found = _visible_pins(call)
    if query.get("include_protected_pins", "false").lower() != "true":
        found = found.exclude(board__privacy="PROTECTED")
    wanted = query.get("pin_filter")
    if wanted not in {None, *_PIN_FILTERS}:
        raise _invalid(f"Invalid request: pin_filter is one of {', '.join(_PIN_FILTERS)}.")
    if wanted in {"exclude_native", "has_been_promoted"}:
        found = found.none()  # every pin here was made here, and none was ever promoted
    kinds = {kind for part in query.getlist("creative_types") for kind in part.split(",")}
    if kinds and store.CREATIVE_TYPE not in kinds:
        found = found.none()
    return _page(call, found.order_by("-position"), store.pin)


def delete_pin(call: Call, pin_id: str) -> Answer:
    found = _visible_pins(call).filter(pin_id=pin_id).first()
    if found is None:
        raise refusal(404, 50, "Pin not found.")
    call.wrote(f"deleted pin {found.title or ''}".strip(), found.pin_id)
    found.delete()
    return Answer(204)


def update_pin(call: Call, pin_id: str) -> Answer:
    """A beta that is not open to all apps, and not to this one."""
    raise refusal(403, 29, "You are not permitted to access that resource.")


def get_pin(call: Call, pin_id: str) -> Answer:
    found = _visible_pins(call).filter(pin_id=pin_id).first()
    if found is None:
        raise refusal(404, 50, "Pin not found.")
    return json_answer(store.pin(found))


def _visible_pins(call: Call) -> QuerySet[Pin]:
    pins = Pin.objects.all()
    return (
        pins
        if _has(call, "pins:write_secret" if call.is_write else "pins:read_secret")
        else pins.exclude(board__privacy="SECRET")
    )


def create_pin(call: Call) -> Answer:
    if fault_dial.current().trial:
        raise refusal(403, 29, _TRIAL)
    body = _body(call)
    details = {name: _text(body, name, limit) for name, limit in _PIN_LIMITS.items()}
    if not isinstance(body.get("board_id"), str):
        raise _invalid("Invalid request: board_id is required, as a text of digits.")
    image = _image(body.get("media_source"))
    board = _board(call, body["board_id"], "pins:write_secret")
    section_id = body.get("board_section_id")
    section = _section(board, str(section_id)) if section_id else None
    made = store.add_pins(board, [{**details, "image": image}], section=section)[0]
    call.wrote(f"created pin {made.title or ''}".strip(), made.pin_id)
    return json_answer(store.pin(made), 201)


def _image(source: Any) -> str | None:
    """The address of the picture; uploaded data is checked and gets an invented address."""
    if not isinstance(source, dict):
        raise _invalid("Invalid request: media_source is required.")
    kind = source.get("source_type")
    if kind == "image_url":
        if not str(source.get("url", "")).startswith(("http://", "https://")):
            raise _invalid("Invalid request: media_source.url must be an absolute address.")
        if not _is_public(str(source["url"])):
            raise _invalid("Invalid request: media_source.url cannot be reached.")
        return str(source["url"])
    if kind == "image_base64":
        try:
            base64.b64decode(str(source.get("data", "")), validate=True)
        except binascii.Error as error:
            raise _invalid("Invalid request: media_source.data is not base64.") from error
        if source.get("content_type") not in {"image/jpeg", "image/png"} or not source.get("data"):
            raise _invalid("Invalid request: media_source needs data and content_type image/jpeg or image/png.")
        return None
    if kind == "multiple_image_urls":
        items = source.get("items")
        if not isinstance(items, list) or not 2 <= len(items) <= 5 or not isinstance(items[0], dict):
            raise _invalid("Invalid request: multiple_image_urls needs 2 to 5 items.")
        return str(items[0].get("url", ""))
    raise _invalid("Invalid request: media_source.source_type is not supported.")


def _is_public(address: str) -> bool:
    """Whether Pinterest could fetch it: a name with a dot, or an IP address that is not private."""
    try:
        host = urlsplit(address).hostname or ""
        return ip_address(host).is_global
    except ValueError:
        return "." in host


def _body(call: Call) -> dict[str, Any]:
    try:
        body = loads(call.body)
    except Unreadable as error:
        raise _invalid("Invalid request: the body is not JSON.") from error
    if not isinstance(body, dict):
        raise _invalid("Invalid request: the body is not a JSON object.")
    return body


def _text(body: dict[str, Any], name: str, limit: int) -> str | None:
    value = body.get(name)
    if value is None:
        return None
    if not isinstance(value, str) or len(value) > limit:
        raise _invalid(f"Invalid request: {name} is a text of at most {limit} characters.")
    return value.strip() if name == "name" else value


def _page(call: Call, found: QuerySet[Any], render: Any) -> Answer:
    """One page and the bookmark of the next. A bookmark is a fixed position, so new pins shift nothing."""
    query = call.request.GET
    text = query.get("page_size", str(_DEFAULT_PAGE))
    if not text.isascii() or not text.isdigit() or not 1 <= int(text[:6]) <= _MAX_PAGE:
        raise _invalid(f"Invalid request: page_size must be between 1 and {_MAX_PAGE}.")
    size = _size(call, int(text))
    bookmark = query.get("bookmark")
    if bookmark:
        found = found.filter(position__lt=_place_of(bookmark))
    rows = list(found[: size + 1])
    if size == 0 and rows:
        return json_answer({"items": [], "bookmark": _bookmark(rows[0].position + 1)})
    more = _bookmark(rows[size - 1].position) if len(rows) > size else None
    return json_answer({"items": [render(row) for row in rows[:size]], "bookmark": more})


def _size(call: Call, asked: int) -> int:
    """The page's maximum size. A page cut short is empty if it is the first, else half as long."""
    if fault_dial.roll(call.arrival, 6) >= fault_dial.current().p_short_page:
        return asked
    return max(1, asked // 2) if call.request.GET.get("bookmark") else 0


def _bookmark(position: int) -> str:
    return base64.urlsafe_b64encode(f"sandbox|{position}".encode()).decode()


def _place_of(bookmark: str) -> int:
    try:
        head, _, position = base64.urlsafe_b64decode(bookmark).decode().partition("|")
        if head == "sandbox":
            return int(position)
    except ValueError:
        pass
    raise _invalid("Invalid request: the bookmark is not valid.")


urlpatterns = [
    path("v5/user_account", resource(GET=("user_accounts:read", get_account))),
    path(
        "v5/boards",
        resource(GET=("boards:read", list_boards), POST=("boards:read boards:write", create_board)),
    ),
    path(
        "v5/boards/<board_id>",
        resource(
            GET=("boards:read", get_board),
            PATCH=("boards:read boards:write", update_board),
            DELETE=("boards:read boards:write", delete_board),
        ),
    ),
    path(
        "v5/boards/<board_id>/sections",
        resource(GET=("boards:read", list_sections), POST=("boards:read boards:write", create_section)),
    ),
    path(
        "v5/boards/<board_id>/sections/<section_id>",
        resource(
            PATCH=("boards:read boards:write", update_section), DELETE=("boards:read boards:write", delete_section)
        ),
    ),
    path(
        "v5/boards/<board_id>/sections/<section_id>/pins",
        resource(GET=("boards:read pins:read", list_section_pins)),
    ),
    path("v5/boards/<board_id>/pins", resource(GET=("boards:read pins:read", list_board_pins))),
    path(
        "v5/pins",
        resource(
            GET=("boards:read pins:read", list_pins),
            POST=("boards:read boards:write pins:read pins:write", create_pin),
        ),
    ),
    path(
        "v5/pins/<pin_id>",
        resource(
            GET=("boards:read pins:read", get_pin),
            PATCH=("boards:read boards:write pins:read pins:write", update_pin),
            DELETE=("boards:read boards:write pins:read pins:write", delete_pin),
        ),
    ),
]
