"""The visitor of the demo sees the forms that a browser would see."""

from __future__ import annotations

import pytest
import responses

from pinxero.development.visitor import VisitError, Visitor

HOME = "http://127.0.0.1:8000"
PAGE = """
<html><head><title>Not text</title></head><body>
<form action="/search"><input name="q"></form>
<form method="post" action="/a/"><input type="hidden" name="token" value="t1"><button name="go">Go</button></form>
<form method="post">
  <input type="hidden" name="token" value="t2">
  <input type="checkbox" name="account" value="one" checked><input type="checkbox" name="account" value="two">
  <input type="checkbox" name="account" value="three" checked disabled>
  <button name="decision" value="accept">Allow</button><button name="decision" value="deny">Cancel</button>
</form>
<p>Two   words</p><script>no()</script></body></html>
"""


@responses.activate
def test_a_form_is_sent_as_a_browser_would_with_one_button_pressed() -> None:
    responses.get(f"{HOME}/page/?x=1", body=PAGE)
    sent = responses.post(f"{HOME}/page/?x=1", body="<p>done</p>")
    visitor = Visitor(HOME)
    page = visitor.open("/page/?x=1")
    after = visitor.submit(page, page.form("account", "decision"), decision="accept")
    assert sent.calls[0].request.body == "token=t2&account=one&decision=accept"
    assert after.text == "done"


@responses.activate
def test_a_form_is_found_by_where_it_goes() -> None:
    responses.get(f"{HOME}/page/", body=PAGE)
    form = Visitor(HOME).open("/page/").form(action="/a/")
    assert (form.action, form.fields, form.buttons) == ("/a/", [("token", "t1")], {"go"})


@responses.activate
def test_a_page_without_the_form_is_named_with_what_it_says() -> None:
    responses.get(f"{HOME}/page/", body=PAGE, status=503)
    page = Visitor(HOME).open("/page/")
    with pytest.raises(VisitError) as missing:
        page.form("login", "password")
    assert str(missing.value) == (
        f"{HOME}/page/ answered 503 and shows no form with login and password: Go Allow Cancel Two words"
    )


@responses.activate
def test_a_refused_sign_in_is_an_error() -> None:
    login = '<form method="post"><input name="login"><input name="password"></form><p>Wrong password.</p>'
    responses.get(f"{HOME}/accounts/login/", body=login)
    responses.post(f"{HOME}/accounts/login/", body=login)
    with pytest.raises(VisitError, match=r"builder could not sign in at http://127\.0\.0\.1:8000: Wrong password\."):
        Visitor(HOME).sign_in("builder", "wrong")
