"""The trigger on new projects: a separate API, with different field names and errors and no way to ask for changes.

https://developer.xero.com/documentation/api/projects/projects
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from integrations.connectors.xero.answers import complete
from integrations.connectors.xero.client import PROJECTS
from integrations.connectors.xero.samples import noticed as samples
from integrations.connectors.xero.triggers.filters import OfContact
from integrations.core.errors import TemporaryError
from integrations.framework.base import Item, Poll, Trigger
from integrations.transport.http import ApiClient

#: The largest page of projects that Xero allows, and more pages than anybody has.
_PAGE_SIZE, _MOST_PAGES = 500, 200


class NewProject(Trigger):
    """A project was created.

    Every poll reads the whole list: the projects API cannot be asked for changes. An ordinary poll asks only for those
    in progress, as new ones are; the baseline and the day's thorough poll ask for closed ones too, so that a reopened
    one is not new. Xero does not say when a project was created.
    """

    key = "new_project"
    name = "New project"
    words = ("job",)
    noun = "project"
    scopes = ("projects",)
    sample = samples.PROJECT

    class Inputs(OfContact):
        pass

    def sample_of(self, inputs: Mapping[str, Any], names: Mapping[str, str] | None = None) -> Mapping[str, Any]:
        contact = inputs.get("contact_id")
        return {**self.sample, "contactId": contact} if contact else self.sample

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
            if poll.newest is not None:
                return


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
