"""``http://`` or ``https://``: a network behind a server, known by its answers alone.

    request    POST, Content-Type application/octet-stream: a file of numpy (.npy), float32
               (n, c, h, w) in [0, 1], at most MOST images
    answer     200, a file of numpy or JSON: scores (n, K), or integer labels (n,)

A request without an answer is made again, TRIES times in all: after SECONDS, a connection that
fails, or a status of the 500s or 429.
"""

import io
import json
import time
from http.client import HTTPException
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import numpy as np

from robustinfo.core.errors import UserError
from robustinfo.evaluation.sources._answers import AnswersOnly, NoAnswerError
from robustinfo.evaluation.sources._request import Loaded, ModelRequest, copy_lines

MOST = 64  # images of a request
SECONDS = 60.0  # for an answer, from the first byte sent to the last byte read
TRIES = 3
WAIT = 1.0  # seconds before the second try, twice as many before the third
LARGEST = 2**26  # bytes of an answer
BEGINNING = 40  # bytes of it that an error shows
TOO_MANY = 429


def load(text: str, request: ModelRequest) -> Loaded:
    """The network behind the address (everything after the scheme's colon is asked as it is)."""
    scheme = text.partition(":")[0]
    if not text.startswith(f"{scheme}://") or not text.partition("://")[2]:
        raise UserError(
            f"{text} is no address:" + copy_lines(f"robustinfo judge {scheme}://127.0.0.1:8000/")
        )

    def ask(images: np.ndarray) -> np.ndarray:
        parts = [images[start : start + MOST] for start in range(0, len(images), MOST)]
        return np.concatenate([_answer(text, one) for one in parts])

    return Loaded(AnswersOnly(ask, request.classes), sha256="")


def _answer(address: str, images: np.ndarray) -> np.ndarray:
    """The server's answer to some images. Raises NoAnswerError after TRIES."""
    body = io.BytesIO()
    np.save(body, images)
    problem = ""
    for one in range(TRIES):
        if one:
            time.sleep(WAIT * 2 ** (one - 1))
        try:
            return _array(_post(address, body.getvalue()), len(images))
        except NoAnswerError:
            raise
        except HTTPError as error:
            problem = f"answers {error.code} {error.reason}: {_first_line(error)}"
            if error.code < 500 and error.code != TOO_MANY:
                raise NoAnswerError(f"{problem}; it is asked by POST with an .npy body") from error
        except (OSError, HTTPException) as error:
            problem = f"does not answer ({type(error).__name__}: {error})"
    raise NoAnswerError(f"{problem}, {TRIES} times; start it, and judge again")


def _post(address: str, body: bytes) -> bytes:
    """The body of the answer, read before the time is over."""
    kind = {"Content-Type": "application/octet-stream"}
    end = time.monotonic() + SECONDS
    content = bytearray()
    with urlopen(Request(address, body, kind), timeout=SECONDS) as answer:
        while part := answer.read1():
            content += part
            if len(content) > LARGEST:
                raise NoAnswerError(f"answers more than {LARGEST:,} bytes to {MOST} images")
            if time.monotonic() > end:
                raise TimeoutError(f"no whole answer in {SECONDS:g} s")
    return bytes(content)


def _array(content: bytes, count: int) -> np.ndarray:
    """The answer to so many images. Raises NoAnswerError if it is no .npy or JSON of numbers."""
    try:
        if content.startswith(b"\x93NUMPY"):
            answers = np.load(io.BytesIO(content), allow_pickle=False)
        else:
            answers = np.array(json.loads(content))
    except (ValueError, RecursionError):
        answers = np.array(None)
    if answers.dtype.kind not in "iuf" or answers.shape[:1] != (count,):
        raise NoAnswerError(
            f"answers {content[:BEGINNING]!r} to {count} images; let it answer scores ({count}, K) "
            f"or labels ({count},), as an .npy file or JSON"
        )
    return answers


def _first_line(error: HTTPError) -> str:
    try:
        return " ".join(error.read(200).decode(errors="replace").split())
    except (OSError, HTTPException):
        return ""
