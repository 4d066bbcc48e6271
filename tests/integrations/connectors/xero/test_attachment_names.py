"""Names of files that come from outside lead nowhere: not in Xero's address, and not on any disk they are saved to."""

from __future__ import annotations

from urllib.parse import quote, unquote

from hypothesis import example, given
from hypothesis import strategies as st

from integrations.connectors.xero.actions.documents.linked_files import LinkedFile, _parts
from integrations.connectors.xero.client import XeroClient
from integrations.transport.http import Request

MARKER = "PX-00112233aabbccdd"
ODD = st.text(alphabet='./\\%:25eEfF=?&#;\r\n\x00\u202e\u2215\uff0f\u2024 ab"<>|*', max_size=60)


@given(st.one_of(st.text(max_size=250), ODD))
@example("../../etc/passwd")
@example("..\\..\\boot.ini")
@example("%2e%2e%2f%2e%2e%2fetc%2fpasswd")
@example("%252e%252e%252fetc")
@example("=?utf-8?q?=2E=2E=2Fevil=2Eexe?=.pdf")
@example("oak\u202efdp.exe")
@example("..")
@example("...pdf")
def test_no_name_leads_out_of_the_record_it_hangs_on(name: str) -> None:
    stem, extension = _parts(name)
    named = LinkedFile(content=b"x", content_type="application/pdf", stem=stem, extension=extension).named(MARKER)
    assert named == named.strip()
    assert not set(named) & set('/\\:*?"<>|%#&;=\r\n\x00')
    assert named.isprintable()
    assert MARKER in named
    assert not named.startswith(".")
    path = f"/Invoices/8a6f8c3e-1111-4222-8333-abcdefabcdef/Attachments/{quote(named, safe='')}"
    url = XeroClient(None).url(Request("PUT", path))
    assert url.endswith(path)
    assert unquote(path).count("/") == 4
