"""The report in a browser: no page is wider than its window."""

import functools
import http.server
import re
import shutil
import threading

import pytest

from tests.engines.chromium import dom

# A frame is as wide as it is said to be; a window of Chromium is 500 pixels or more.
FRAME = """<!doctype html><iframe id="page" src="report.html" width="{width}" height="900"
style="border: 0"></iframe><p id="found"></p><script>
page.onload = () => {{
  const root = page.contentDocument.documentElement
  found.textContent = `${{root.clientWidth}} ${{root.scrollWidth}} ${{root.scrollHeight}}`
}}</script>"""


class Silent(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.fixture
def site(finished, tmp_path):
    """A folder with the report, and its address on loopback."""
    shutil.copy(finished / "results/mini/report.html", tmp_path)
    handler = functools.partial(Silent, directory=tmp_path)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield tmp_path, f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.mark.parametrize("width", [1300, 400])
def test_the_report_does_not_scroll_sideways(site, width):
    folder, address = site
    (folder / "frame.html").write_text(FRAME.format(width=width))
    page = dom(f"{address}/frame.html", virtual_ms=10_000)
    found = re.search(r'id="found">(\d+) (\d+) (\d+)<', page)
    assert found, page[-2000:]
    inner, needed, height = map(int, found.groups())
    assert width - 20 <= inner <= width and height > 900  # the page is there, with its scroll bar
    assert needed <= inner
