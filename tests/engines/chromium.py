"""Pages as headless Chromium renders them."""

import subprocess
import tempfile

from tests.engines.servers import needed

OPTIONS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage")
OPTIONS += ("--no-first-run", "--disable-extensions", "--disable-background-networking")


def dom(address: str, virtual_ms: int = 100_000) -> str:
    """HTML of a page after so many milliseconds of its own clock."""
    program = needed("chromium")["chromium"]
    with tempfile.TemporaryDirectory() as profile:
        command = [program, *OPTIONS, f"--user-data-dir={profile}", "--dump-dom"]
        command += [f"--virtual-time-budget={virtual_ms}", address]
        done = subprocess.run(command, capture_output=True, text=True, timeout=180)
    assert done.returncode == 0 and done.stdout, done.stderr
    return done.stdout
