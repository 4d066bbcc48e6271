"""Files behind links, as people have on their own hosts: something to attach when trying things out."""

from django.http import HttpRequest, HttpResponse, HttpResponseNotFound
from django.views.decorators.http import require_GET

_PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d494844520000000100000001080600000"
    "01f15c4890000000d49444154789c6360606060000000050001a5f645400000000049454e44ae426082"
)


@require_GET
def linked(request: HttpRequest, name: str) -> HttpResponse:
    """A one-page PDF for any name that ends in .pdf, a picture for .png, else nothing."""
    if name.endswith(".pdf"):
        return HttpResponse(_paper(name.removesuffix(".pdf")), content_type="application/pdf")
    if name.endswith(".png"):
        return HttpResponse(_PIXEL, content_type="image/png")
    return HttpResponseNotFound("There is no such file.", content_type="text/plain")


def _paper(title: str) -> bytes:
    """One page with its title on it, as a PDF."""
    plain = "".join(letter for letter in title if letter.isalnum() or letter in " -_")[:60]
    words = f"BT /F1 24 Tf 72 720 Td ({plain}) Tj ET".encode("latin-1", "replace")
    parts = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R "
        b"/Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(words), words),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    paper, places = b"%PDF-1.4\n", []
    for number, part in enumerate(parts, 1):
        places.append(len(paper))
        paper += b"%d 0 obj\n%s\nendobj\n" % (number, part)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    return b"%sxref\n0 6\n0000000000 65535 f \n%strailer\n<< /Size 6 /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (
        paper,
        table,
        len(paper),
    )
