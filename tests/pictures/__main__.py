"""`make screenshots`: all pictures of docs/images, and their sizes in the texts of the guide."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
django.setup()

from playwright.sync_api import Browser, sync_playwright  # noqa: E402 - models are imported once Django is set up

from pinxero.development import chromium  # noqa: E402
from tests.base import PASSWORD  # noqa: E402
from tests.browser.person import Person  # noqa: E402
from tests.browser.stage import Stage, running_stage  # noqa: E402
from tests.pictures import control_scenes, later_scenes, scenes  # noqa: E402
from tests.pictures.camera import Camera, write_sizes  # noqa: E402
from tests.provider import CHECKOUT  # noqa: E402

Scene = Callable[[Stage, Person, Camera], None]
_PICTURES, _GUIDE = CHECKOUT / "docs" / "images", CHECKOUT / "docs" / "guide"
_MILLISECONDS = 60_000
_PEOPLE = f"""
from pinxero import demo
demo.ensure_people({PASSWORD!r})
"""
_DEMO = """
from django.core.management import call_command
call_command("demo", "run")
"""
#: What each person clicks through, in this order.
SCENES: dict[str, list[Scene]] = {
    "builder": [
        *(scenes.runs, scenes.recipes, scenes.editor, scenes.panels, scenes.previews, scenes.publishing),
        *(later_scenes.files, later_scenes.lookup_tables, later_scenes.import_and_export, later_scenes.around),
        *(later_scenes.failures, scenes.reconciliation, scenes.activity),
    ],
    "administrator": [later_scenes.people, control_scenes.policies, control_scenes.guards],
    "approver": [control_scenes.approvals],
}


def main() -> int:
    """Make all pictures. Nothing is changed if a scene does not succeed; the exit status is then 1."""
    browser_path = chromium.find_chromium()
    if browser_path is None:
        print("No Chromium found: install the package chromium, or set CHROMIUM to its path.", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        camera = Camera(folder)
        with running_stage(folder, people=_PEOPLE, DEMO_PASSWORD=PASSWORD) as stage, sync_playwright() as playwright:
            stage.sandbox.lift_limits()
            stage.python(_DEMO)
            browser = playwright.chromium.launch(executable_path=browser_path, args=chromium.ARGUMENTS)
            for name, its_scenes in SCENES.items():
                _play(stage, browser, camera, name, its_scenes)
            browser.close()
        _put_away(camera)
    return 0


def _play(stage: Stage, browser: Browser, camera: Camera, name: str, its_scenes: list[Scene]) -> None:
    context = browser.new_context(color_scheme="light")
    context.set_default_timeout(_MILLISECONDS)
    person = Person(context, stage.url)
    person.sign_in(name)
    for scene in its_scenes:
        print(f"{scene.__name__} ...", flush=True)
        scene(stage, person, camera)
    context.close()


def _put_away(camera: Camera) -> None:
    """The new pictures in place of all old ones, and their sizes into the texts."""
    _PICTURES.mkdir(exist_ok=True)
    for old in _PICTURES.glob("*.webp"):
        old.unlink()
    for name in sorted(camera.sizes):
        picture = (camera.folder / f"{name}.webp").read_bytes()
        (_PICTURES / f"{name}.webp").write_bytes(picture)
        print(f"docs/images/{name}.webp: {len(picture) // 1024} KB")
    for text in _GUIDE.glob("*.html"):
        text.write_text(write_sizes(text.read_text(), camera.sizes))


if __name__ == "__main__":
    sys.exit(main())
