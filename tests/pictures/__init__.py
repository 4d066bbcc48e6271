"""The pictures of README.md and of the guide, taken by a person who clicks through a demo: `make screenshots`.

Each run begins with a demo of its own and an empty sandbox, so that one command makes them all again after the pages
have changed. `scenes.py` and `later_scenes.py` say what is on them, `camera.py` how they are taken and kept small.
"""
