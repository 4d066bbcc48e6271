"""Pages of connections and of the activity, and the address that receives providers' webhooks.

May use every package of `integrations`; only the URLs use it, and other pages its `downloads.py`.
Begin with `connections.py`.
"""
