"""A network behind a server on this machine: what it is asked, and what is said if it fails."""

import io
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest
import torch

from robustinfo.core.errors import UserError
from robustinfo.evaluation.sources import model, served

SHAPE = (1, 8, 8)


def npy(array):
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


@pytest.fixture
def serve(monkeypatch):
    """Starts a server that answers requests one after the other; ``serve.asked`` holds them."""
    monkeypatch.setattr(served, "WAIT", 0.0)
    servers = []

    def serve(answer):
        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                serve.asked.append((self.path, self.headers["Content-Type"], body))
                status, content = answer(np.load(io.BytesIO(body)), len(serve.asked))
                self.send_response(status)
                self.end_headers()
                for part in [content] if isinstance(content, bytes) else content:
                    self.wfile.write(part)
                    self.wfile.flush()

            def log_message(self, *_):
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_port}/predict?model=7"

    serve.asked = []
    yield serve
    for server in servers:
        server.shutdown()
        server.server_close()


def load(address):
    return model(address, shape=SHAPE, classes=10)


@pytest.mark.parametrize("write", [npy, lambda array: json.dumps(array.tolist()).encode()])
def test_its_scores_are_those_of_the_network(write, serve, trained, digits):
    def scores(x, _):
        return 200, write(trained(torch.from_numpy(x)).numpy())

    address, x = serve(scores), digits[0][:150]
    guard = load(address)
    torch.testing.assert_close(guard(x), trained(x))
    assert guard.answers_only and not guard.labels_only
    assert (guard.source, guard.sha256) == (address, "")
    path, kind, body = serve.asked[-1]
    assert path == "/predict?model=7" and kind == "application/octet-stream"
    last = np.load(io.BytesIO(body))
    assert last.dtype == np.float32 and last.shape == (150 % served.MOST, *SHAPE)


@pytest.mark.parametrize("write", [npy, lambda array: json.dumps(array.tolist()).encode()])
def test_labels_become_scores(write, serve, trained, digits):
    guard = load(serve(lambda x, _: (200, write(trained(torch.from_numpy(x)).argmax(1).numpy()))))
    assert guard.labels_only
    assert guard(digits[0][:20]).argmax(1).equal(trained(digits[0][:20]).argmax(1))


def zeros(x):
    return npy(np.zeros((len(x), 10), np.float32))


@pytest.mark.parametrize("status", [500, 503, 429])
def test_a_server_that_is_busy_is_asked_again(status, serve):
    guard = load(serve(lambda x, count: (200 if count % 3 == 0 else status, zeros(x))))
    before = len(serve.asked)
    assert guard(torch.zeros(4, *SHAPE)).shape == (4, 10) and len(serve.asked) == before + 3


def slowly(x):
    for _ in range(100):
        time.sleep(0.02)
        yield b"\0"


REFUSED = {
    "always busy": (lambda x, _: (503, b"later"), 3, r"answers 503 .*: later, 3 times; start it"),
    "a password": (lambda x, _: (401, b"who?\nyou"), 1, r"answers 401 .*: who\? you; it is"),
    "a page": (lambda x, _: (200, b"<html>"), 1, r"answers b'<html>' to 33 images; let it answer"),
    "a pickle": (lambda x, _: (200, npy(np.array([{}]))), 1, r"answers b.*NUMPY.* to 33 images"),
    "deep JSON": (lambda x, _: (200, b"[" * 99999), 1, r"answers b'\[\[\["),
    "rows of two lengths": (lambda x, _: (200, b"[[1, 2], [3]]"), 1, r"answers b'\[\[1, 2"),
    "too much": (lambda x, _: (200, b"0" * 200_000), 1, "answers more than 100,000 bytes to 64"),
    "slowly": (lambda x, _: (200, slowly(x)), 3, r"TimeoutError: no whole answer in 0\.3 s"),
    "an object": (lambda x, _: (200, b'{"scores": [1]}'), 1, r"answers b'{\"scores\""),
    "of other images": (lambda x, _: (200, npy(np.zeros((7, 10)))), 1, r"answers .* to 33 images"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_answer_is_said(name, serve, monkeypatch):
    monkeypatch.setattr(served, "LARGEST", 100_000)
    monkeypatch.setattr(served, "SECONDS", 0.3)
    answer, times, words = REFUSED[name]
    address = serve(answer)
    with pytest.raises(UserError, match=words) as told:
        load(address)
    assert str(told.value).startswith(address)
    assert len(serve.asked) == times


def test_a_server_that_is_not_there_is_an_error(monkeypatch):
    monkeypatch.setattr(served, "WAIT", 0.0)
    with pytest.raises(UserError, match=r"does not answer \(URLError: .*refused.*, 3 times; start"):
        load("http://127.0.0.1:9/")


def test_what_fails_later_is_no_attack_that_was_not_made(serve):
    """An evaluation goes on without an attack that raises UserError: here it has to end."""
    status = [200]
    guard = load(serve(lambda x, _: (status[0], zeros(x))))
    status[0] = 404
    with pytest.raises(OSError, match="answers 404"):
        guard(torch.zeros(4, *SHAPE))


@pytest.mark.parametrize("text", ["http:", "https://", "http:127.0.0.1"])
def test_what_is_no_address_is_said(text):
    with pytest.raises(
        UserError, match=rf"{text} is no address:\n    robustinfo judge https?://127"
    ):
        load(text)
