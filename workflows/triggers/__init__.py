"""How runs begin: polled, woken by a webhook, on a schedule, called, by hand, from a file.

May use `definitions` and what is below. Begin with `polling.py` and `intake.py`; all other starts end in `starting.py`.
"""
