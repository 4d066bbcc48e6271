"""How static files are stored for production: under a name with a hash of their content, also in modules' imports."""

from __future__ import annotations

from whitenoise.storage import CompressedManifestStaticFilesStorage


class HashedStaticFiles(CompressedManifestStaticFilesStorage):
    """Whitenoise's storage, with the names in `import ... from "./x.js";` replaced too.

    Without it a browser would use old modules with a new page. An import map would do the same, but is part of the
    page, where our policy allows no script. The price: Django calls this experimental, and reads every script for it.
    """

    support_js_module_import_aggregation = True
