"""OAuth 2.0 of both providers: consent pages, tokens, revocation.

May use the sandbox's models. Begin with `views.py`.
"""
