"""Files that a workflow attaches: what the run page shows of them, and what a consent without the permission means."""

from __future__ import annotations

from typing import Any

import pytest

from integrations.framework import registry
from tests.integrations.outside import Start, answer, start
from tests.walk.stage import Stage, step_of
from workflows.publishing import publish

__all__ = ["start"]

ATTACH = registry.action("xero.attach_file")


def attach(stage: Stage, url: str) -> Any:
    """A run that attaches what is behind the link to an invoice."""
    record = stage.sandbox.invoices(ours=False)[0]["id"]
    return stage.start(ATTACH, ATTACH.Inputs.clean({"record_id": record, "url": url}))


@pytest.mark.parametrize("content", [b"%PDF-1.4\n\xff\xfe", b"a,b\n" * 200_000], ids=["bytes", "a long text"])
def test_the_page_tells_the_size_of_a_file_and_not_its_content(
    stage: Stage, start: Start, settings: Any, content: bytes
) -> None:
    host = start(answer(content, headers={"Content-Type": "text/csv"}))
    settings.FILE_LINK_HOSTS = [host.rule]
    run = stage.settle(attach(stage, host.url("/list.csv")))
    assert (run.status, run.error) == ("succeeded", "")
    page = stage.page(run)
    assert f"A file of {len(content):,} bytes" in page
    assert len(page) < 300_000
    output = step_of(run).output
    assert (output["ContentLength"], output["FileName"]) == (len(content), f"list {step_of(run).marker}.csv")


def test_a_host_that_is_down_is_asked_again_later_and_nothing_was_sent_before(
    stage: Stage, start: Start, settings: Any
) -> None:
    talks = [answer(b"", status="503 Down"), answer(b"a,b", headers={"Content-Type": "text/csv"})]
    host = start(lambda peer, heard: talks.pop(0)(peer, heard))
    settings.FILE_LINK_HOSTS = [host.rule]
    run = attach(stage, host.url("/list.csv"))
    mark = stage.mark()
    stage.advance(run)
    assert (run.status, run.wait_reason) == ("waiting", "retry")
    assert stage.written(mark) == []
    assert stage.settle(run).status == "succeeded"
    assert len(stage.written(mark)) == 1


def test_a_connection_from_before_the_permission_says_so_where_the_step_is_built_and_published(
    stage: Stage, settings: Any
) -> None:
    grant = stage.connections["xero"].grant
    grant.scopes = [each for each in settings.XERO_SCOPES if each != "accounting.attachments"]
    grant.save()
    with pytest.raises(publish.PublishError) as refused:
        attach(stage, f"{stage.sandbox.url}/files/note.pdf")
    assert any("accounting.attachments" in str(each) for each in refused.value.args)
    connection = stage._get(f"/connections/{stage.connections['xero'].pk}/")
    assert "What needs it cannot run" in connection
    assert "accounting.attachments" in connection
