"""The trigger on new projects: an API of its own, with another spelling, other errors and no way to ask for changes.

https://developer.xero.com/documentation/api/projects/projects
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from integrations.base import Item, Poll, Trigger
from integrations.errors import TemporaryError
from integrations.http import ApiClient
from integrations.xero import samples
from integrations.xero.answers import complete
from integrations.xero.client import PROJECTS
from integrations.xero.trigger_options import OfContact

#: The most that Xero puts on a page of projects, and more pages than anybody has.
_PAGE_SIZE, _MOST_PAGES = 500, 200


class NewProject(Trigger):
    """A project was created.

    Every look reads the list: the projects API does not tell what changed since when. An ordinary look asks only for
    those in progress, which new ones are; the baseline and the day's thorough look ask for the closed ones too, so that
    one that is opened again is not new. Xero does not tell when a project was made.
    """

    key = "new_project"
    name = "New project"
    noun = "project"
    scopes = ("projects",)
    sample = samples.PROJECT

    class Inputs(OfContact):
        pass

    def poll(self, poll: Poll) -> Iterator[Item]:
        query = {"contactID": poll.inputs.contact_id} if poll.inputs.contact_id else {}
        if not (poll.is_baseline or poll.is_thorough):
            query["states"] = "INPROGRESS"
        for page in _pages(poll.api, query):
            known = set() if poll.is_baseline else poll.known([str(project["projectId"]) for project in page])
            for project in page:
                if project["projectId"] not in known:
                    is_new = project.get("status") == "INPROGRESS"
                    yield Item(key=str(project["projectId"]), data=complete(project, samples.PROJECT), is_event=is_new)


def _pages(api: ApiClient, query: dict[str, str]) -> Iterator[list[dict[str, Any]]]:
    for number in range(1, _MOST_PAGES + 1):
        body = api.read(PROJECTS, {**query, "page": str(number), "pageSize": str(_PAGE_SIZE)}).json()
        page = body.get("items") if isinstance(body, dict) else None
        if not isinstance(page, list) or not all(isinstance(each, dict) and each.get("projectId") for each in page):
            raise TemporaryError("Xero's answer holds no list of projects.")
        yield page
        pagination = body.get("pagination")
        count = pagination.get("pageCount") if isinstance(pagination, dict) else None
        if number >= count if isinstance(count, int) else len(page) < _PAGE_SIZE:
            return
    raise TemporaryError("Xero's list of projects did not come to an end.")
