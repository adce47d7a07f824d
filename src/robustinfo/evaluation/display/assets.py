"""Files inside a page, so that the page is one file and opens offline."""

import base64
import re
from hashlib import sha256
from pathlib import Path

TEMPLATES = Path(__file__).parent  # the folder of page.css
TYPES = {
    ".csv": "text/csv",
    ".json": "application/json",
    ".png": "image/png",
    ".tex": "application/x-tex",
}


def svg(file: Path) -> str:
    """The svg element of a figure's file, with ids made unique among the figures of a page."""
    text = "<svg" + file.read_text(encoding="utf-8").partition("<svg")[2]
    ids, prefix = set(re.findall(r'id="([^"]+)"', text)), sha256(text.encode()).hexdigest()[:8]
    return re.sub(
        r'(id="|url\(#|href="#)([^")]+)',
        lambda m: m[1] + (f"s{prefix}-{m[2]}" if m[2] in ids else m[2]),
        text,
    )


def data_uri(file: Path) -> str:
    """The file's content as a data URI."""
    return f"data:{TYPES[file.suffix]};base64,{base64.b64encode(file.read_bytes()).decode()}"
