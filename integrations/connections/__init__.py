"""What people do with connections: consent, choose organisations, reconnect, disconnect; and incoming webhooks.

May use `framework` and what is below it. Begin with `service.py`; `consent.py` sends people to a provider and takes
them back.
"""
