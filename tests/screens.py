"""Pages in a headless Chromium: measures of their boxes, and pictures.

``python -m tests.screens PAGE FOLDER`` takes the pictures of a page that the documentation shows.
"""

import html
import json
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

BROWSER = shutil.which("chromium") or shutil.which("google-chrome")
SCREEN = 800  # pixels, the height of a screen
PICTURES = {1300: 1500, 400: 1000}  # heights by widths
# A window of Chromium has a least width, a frame has none.
FRAME = '<iframe style="border:0;width:{width}px;height:{height}px" srcdoc="{page}"></iframe>'
MEASURE = """<script>onload = () => {
  const measure = %s;
  const frames = [...document.querySelectorAll("iframe")];
  document.body.textContent = JSON.stringify(frames.map((one) => measure(one.contentDocument)));
}</script>"""


def browse(address: str, *options: str) -> str:
    """What Chromium prints about the page of an address."""
    with tempfile.TemporaryDirectory() as profile:
        line = [str(BROWSER), "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
                "--disable-background-networking", f"--user-data-dir={profile}", *options,
                address]  # fmt: skip
        return subprocess.run(line, capture_output=True, text=True, timeout=180).stdout


def chromium(folder: Path, page: str, *options: str) -> str:
    """The same of a page's text, which is written into a folder."""
    (folder / "frames.html").write_text(page, encoding="utf-8")
    return browse((folder / "frames.html").as_uri(), *options)


def measured(folder: Path, page: str, measure: str, widths: tuple[int, ...]) -> dict[int, dict]:
    """{width: what a JavaScript function finds in the page's document in a frame of this width}."""
    frames = [FRAME.format(width=width, height=SCREEN, page=html.escape(page)) for width in widths]
    said = chromium(folder, "".join([*frames, MEASURE % measure]), "--dump-dom")
    return dict(zip(widths, json.loads(re.search(r"\[\{.*\}\]", said)[0]), strict=True))


def picture(page: str, width: int, height: int, file: Path) -> None:
    """The first screens of a page, as a PNG of 64 colours."""
    from PIL import Image

    with tempfile.TemporaryDirectory() as folder:
        frame = FRAME.format(width=width, height=height, page=html.escape(page))
        taken = Path(folder, "taken.png")
        options = (f"--window-size={max(width, 500)},{height}", f"--screenshot={taken}")
        chromium(Path(folder), f'<body style="margin:0">{frame}', *options)
        cut = Image.open(taken).convert("RGB").crop((0, 0, width, height))
        cut.quantize(64, dither=Image.Dither.NONE).save(file, optimize=True)


if __name__ == "__main__":
    given, target = map(Path, sys.argv[1:])
    target.mkdir(parents=True, exist_ok=True)
    for wide, high in PICTURES.items():
        name = target / f"{given.stem}-{wide}.png"
        picture(given.read_text(encoding="utf-8"), wide, high, name)
        print(f"{name}: {name.stat().st_size:,} bytes")
