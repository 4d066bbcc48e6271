"""The Django project: settings, addresses, the admin site, the dashboard, and commands that set Pinxero up.

May use every service; nothing uses it but `pages.py`, the frame of all pages. Begin with `settings.py` and `urls.py`.
"""
