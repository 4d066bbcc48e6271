"""The guide: one page for each task, read inside the product. Its texts are the files of `docs/guide`.

Its pictures are in `docs/images`, made by `make screenshots`; a text names one as `../images/values.webp`, which holds
in the repository and at the address of a page.

`PAGES` says which pages of Pinxero each one helps with, by the names of their addresses; a test holds that every page
that people use has one.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse

BUILD, LOOK, RUN = "Build workflows", "Look after them", "Set up and manage"


@dataclass(frozen=True)
class GuidePage:
    """A page of the guide, and the pages of Pinxero that it helps with."""

    key: str
    title: str
    group: str
    helps_with: tuple[str, ...] = ()

    @property
    def url(self) -> str:
        """Where it is read."""
        return reverse("guide_page", args=[self.key])

    @property
    def template(self) -> str:
        """Its text."""
        return f"guide/{self.key}.html"


PAGES = (
    GuidePage("first-steps", "First steps", BUILD, ("admin:index", "guide", "guide_page")),
    GuidePage("recipes", "Start from a recipe", BUILD, ("recipes", "recipe")),
    GuidePage(
        "build-a-workflow", "Build a workflow", BUILD, ("workflows", "new_workflow", "workflow", "workflow_settings")
    ),
    GuidePage(
        "what-starts-it",
        "Choose what starts it",
        BUILD,
        ("workflow_trigger", "hook_signature", "rotate_hook", "workflow_samples", "edit_sample"),
    ),
    GuidePage("steps", "Add and change steps", BUILD, ("new_step", "step", "place_step", "copy_step", "delete_step")),
    GuidePage("values", "Use values from earlier steps", BUILD),
    GuidePage("conditions", "Go on only if something is true", BUILD, ("workflow_filter",)),
    GuidePage("preview", "See what would be written", BUILD, ("preview",)),
    GuidePage("backtest", "Try it on past days", BUILD, ("backtest_workflow", "backtest")),
    GuidePage("invoices", "Write invoices, quotes and orders", BUILD),
    GuidePage("reports-by-mail", "Mail a report every month", BUILD),
    GuidePage("files-and-forms", "Start from a file or a form", BUILD, ("start_workflow", "upload_file", "start_rows")),
    GuidePage(
        "publish",
        "Publish, switch on and pause",
        LOOK,
        (
            *("publish_workflow", "activate_workflow", "pause_workflow", "workflow_versions", "workflow_version"),
            *("publication", "compare_versions", "restore_version", "delete_workflow", "deleted_workflows"),
        ),
    ),
    GuidePage("runs", "See what happened", LOOK, ("runs", "run", "run_turns", "run_turn")),
    GuidePage("documents", "See what was written", LOOK, ("documents", "search")),
    GuidePage("take-back", "Take back what was written", LOOK, ("undo_run",)),
    GuidePage("reconciliation", "See what was changed since", LOOK, ("reconciliations", "reconciliation")),
    GuidePage("approvals", "Approve what waits", LOOK, ("approvals", "approval", "approve_several", "away")),
    GuidePage(
        "policies",
        "Say what needs approval",
        LOOK,
        ("policy", "change_policy", "policy_rule", "policy_version", "try_policy", "team_controls"),
    ),
    GuidePage("guards", "Guard against what should not be sent", LOOK, ("guards",)),
    GuidePage("activity", "See who did what", LOOK, ("activity", "check_record")),
    GuidePage("when-a-run-fails", "When a run fails", LOOK, ("way_out", "bulk", "batch")),
    GuidePage("notices", "Notices and safeguards", LOOK, ("notices", "workflow_safeguards")),
    GuidePage(
        "connections",
        "Connect your accounts",
        RUN,
        ("connections", "connection", "choose_accounts", "disconnect", "freeze"),
    ),
    GuidePage(
        "lookup-tables",
        "Keep lists in lookup tables",
        RUN,
        (
            *("lookup_tables", "new_lookup_table", "lookup_table", "edit_lookup_rows", "edit_lookup_columns"),
            *("lookup_table_settings", "archive_lookup_table", "import_lookup_table", "lookup_versions"),
            *("lookup_version", "restore_lookup_version"),
        ),
    ),
    GuidePage("other-programs", "Let other programs start workflows", RUN, ("api_tokens", "revoke_token")),
    GuidePage("import-and-export", "Take a workflow elsewhere", RUN, ("import_workflow",)),
    GuidePage("your-account", "Your password and second factor", RUN),
    GuidePage(
        "people",
        "People, teams and roles",
        RUN,
        (
            *("people", "person", "invite_person", "renew_invitation", "change_person", "remove_person"),
            *("sign_person_out", "end_holding", "second_factor"),
        ),
    ),
)
#: Pages with many addresses, by how their names begin.
_BY_PREFIX = {"admin:": "people", "account_": "your-account", "mfa_": "your-account"}


def find(key: str) -> GuidePage | None:
    """The page with this key."""
    return next((each for each in PAGES if each.key == key), None)


def find_picture(name: str) -> Path | None:
    """The file of the picture called so, such as `values.webp`."""
    folder = Path(settings.BASE_DIR) / "docs" / "images"
    return next((path for path in folder.glob("*.webp") if path.name == name), None)


def page_for(name: str) -> GuidePage | None:
    """The page that helps with an address of this name."""
    own = next((each for each in PAGES if name in each.helps_with), None)
    return own or next((find(key) for prefix, key in _BY_PREFIX.items() if name.startswith(prefix)), None)


def guide_of(request: HttpRequest) -> GuidePage | None:
    """The page that helps with the page that is shown."""
    match = request.resolver_match
    return page_for(match.view_name) if match is not None and match.view_name else None
