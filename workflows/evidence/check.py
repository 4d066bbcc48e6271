"""Check that an evidence pack is as it was made: python3 check.py

Put this file where the pack was unpacked, or name that folder: python3 check.py FOLDER. It needs Python 3.8 or newer,
nothing else, and it changes nothing. It ends with 0 if every file is as the manifest says and every entry of the audit
trail gives its hash, else with 1, after naming what is not.

The manifest itself is checked by a person: its SHA-256, which is printed, stands in Pinxero's audit trail.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys

MANIFEST = "manifest.json"


def main(arguments: list[str]) -> int:
    """Check the folder, print what is wrong, and give the exit code."""
    folder = os.path.abspath(arguments[0] if arguments else os.path.dirname(os.path.abspath(__file__)))
    try:
        with open(os.path.join(folder, MANIFEST), "rb") as file:
            content = file.read()
        listed = json.loads(content.decode("utf-8"))["files"]
        expected = {str(name): (str(each["sha256"]), int(each["size"])) for name, each in listed.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        say(f"{MANIFEST} cannot be read: {error}")
        return 1
    wrong = problems(folder, expected)
    for problem in wrong:
        say(problem)
    say(f"SHA-256 of {MANIFEST}: {hashlib.sha256(content).hexdigest()}")
    say("Compare it with the entry of the audit trail that records this evidence pack.")
    if wrong:
        say(f"NOT as it was made: {len(wrong)} problem{'s' if len(wrong) > 1 else ''}.")
        return 1
    say(f"All {len(expected)} files are as they were made.")
    return 0


def problems(folder: str, expected: dict[str, tuple[str, int]]) -> list[str]:
    """What differs, is missing, or is not in the manifest, a sentence each."""
    found = files_in(folder) - {MANIFEST}
    wrong = [f"MISSING: {name}" for name in sorted(set(expected) - found)]
    wrong += [f"EXTRA: {name} is not in the manifest" for name in sorted(found - set(expected))]
    for name in sorted(found & set(expected)):
        digest, size = hash_of(os.path.join(folder, *name.split("/")))
        if (digest, size) != expected[name]:
            wrong.append(f"DIFFERENT: {name}")
        elif name.endswith("audit.json"):
            wrong += [f"AUDIT ENTRY {number} in {name} does not give its hash" for number in changed(folder, name)]
    return wrong


def files_in(folder: str) -> set[str]:
    """The names of all files below the folder, with slashes. What Python and file managers leave there is no part."""
    found = set()
    for at, folders, names in os.walk(folder):
        folders[:] = [each for each in folders if each != "__pycache__"]
        for name in names:
            if name not in (".DS_Store", "Thumbs.db", "desktop.ini"):
                found.add(os.path.relpath(os.path.join(at, name), folder).replace(os.sep, "/"))
    return found


def hash_of(path: str) -> tuple[str, int]:
    """The SHA-256 of a file, and its size."""
    digest, size = hashlib.sha256(), 0
    with open(path, "rb") as file:
        for part in iter(lambda: file.read(1 << 20), b""):
            digest.update(part)
            size += len(part)
    return digest.hexdigest(), size


def changed(folder: str, name: str) -> list[str]:
    """The numbers of the entries whose content does not give their hash: the content as JSON in UTF-8, with sorted keys
    and without spaces, is what Pinxero hashed."""
    with open(os.path.join(folder, *name.split("/")), encoding="utf-8") as file:
        entries = json.load(file)
    wrong = []
    for entry in entries:
        text = json.dumps(entry["content"], ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        if hashlib.sha256(text.encode("utf-8")).hexdigest() != entry["hash"]:
            wrong.append(str(entry["content"]["number"]))
    return wrong


def say(text: str) -> None:
    """Print a line, whatever the terminal can show."""
    sys.stdout.write(text.encode("ascii", "backslashreplace").decode("ascii") + "\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
