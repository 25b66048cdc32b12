"""The server itself: how it starts, what it refuses to start with, how it ends."""

from __future__ import annotations

import asyncio
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import warnings
from contextlib import contextmanager
from pathlib import Path

import pytest
from http_app import AS_OF, wait_until

from anticipate.__main__ import main
from anticipate.exceptions import AnticipateWarning, ParameterError, ReadError
from anticipate.serving.http import body
from anticipate.serving.http.keys import read_keys
from anticipate.serving.http.problems import ClientGone, Problem

QUESTION = json.dumps({"customer_id": "C042", "as_of": AS_OF}).encode()
HEAD = (
    b"POST /v1/suggest HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    b"Content-Length: %d\r\n\r\n" % len(QUESTION)
)
posix = pytest.mark.skipif(os.name != "posix", reason="signals as POSIX has them")


class Running:
    """A server in a process of its own."""

    def __init__(self, bundle: Path, *options: str) -> None:
        command = [sys.executable, "-m", "anticipate", "serve", str(bundle), "--port", "0"]
        self.process = subprocess.Popen([*command, *options], stderr=subprocess.PIPE, text=True)
        first = self.process.stderr.readline()
        found = re.fullmatch(r"anticipate: serving at http://.*:(\d+)\n", first)
        if found is None:
            raise RuntimeError(first + self.process.communicate()[1])
        self.port = int(found[1])

    def get(self, path: str) -> tuple[int, bytes]:
        return self.ask("GET", path)

    def ask(self, method: str, path: str, content: bytes | None = None, **headers: str):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request(method, path, content, {"Host": "localhost", **headers})
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()

    def suggest(self) -> tuple[int, bytes]:
        return self.ask("POST", "/v1/suggest", QUESTION, **{"Content-Type": "application/json"})

    def is_ready(self) -> bool:
        return self.get("/readyz")[0] == 200

    def stop(self) -> tuple[int, str]:
        self.process.send_signal(signal.SIGTERM)
        _, told = self.process.communicate(timeout=60)
        return self.process.returncode, told


@contextmanager
def running(bundle, *options):
    server = Running(bundle, *options)
    try:
        wait_until(server.is_ready)
        yield server
    finally:
        if server.process.poll() is None:
            server.process.kill()
        server.process.communicate()


def status_of(connection: socket.socket) -> int:
    """Of the answer on a raw connection, read to its end."""
    response = http.client.HTTPResponse(connection)
    response.begin()
    response.read()
    return response.status


@posix
def test_sigterm_drains_and_ends_without_an_error(bookshop_bundle):
    """Seen as not ready, still answering; a body half sent is waited for; exit 0."""
    with running(bookshop_bundle, "--drain-seconds", "1.5") as server:
        with socket.create_connection(("127.0.0.1", server.port)) as half_sent:
            half_sent.sendall(HEAD + QUESTION[:10])
            server.process.send_signal(signal.SIGTERM)
            wait_until(lambda: server.get("/readyz")[0] == 503)
            assert server.suggest()[0] == 200
            half_sent.sendall(QUESTION[10:])
            assert status_of(half_sent) == 200
        _, told = server.process.communicate(timeout=60)

    assert server.process.returncode == 0
    assert "C042" not in told
    assert "Traceback" not in told


def test_without_a_key_only_this_machine_is_served(bookshop_bundle, capsys):
    for host in ("0.0.0.0", "::", "192.0.2.1", "example.com"):
        assert main(["serve", str(bookshop_bundle), "--host", host]) == 2
        assert "give --api-key-file" in capsys.readouterr().err


def test_a_port_in_use_is_one_line(bookshop_bundle, capsys):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        assert main(["serve", str(bookshop_bundle), "--port", port]) == 2

    told = capsys.readouterr().err
    assert told.count("\n") == 1
    assert f"127.0.0.1:{port}" in told


@pytest.mark.parametrize(
    ("options", "word"),
    [
        (["--port", "70000"], "--port"),
        (["--workers", "0"], "--workers"),
        (["--refresh-seconds", "-1"], "--refresh-seconds"),
        (["--drain-seconds", "nan"], "--drain-seconds"),
        (["--api-key-file", "nowhere"], "nowhere"),
    ],
)
def test_what_cannot_be_served_is_one_line(bookshop_bundle, capsys, options, word):
    assert main(["serve", str(bookshop_bundle), *options]) == 2

    told = capsys.readouterr().err
    assert told.count("\n") == 1
    assert word in told


def test_no_bundle_is_told_before_a_port_is_opened(capsys, tmp_path):
    assert main(["serve", str(tmp_path)]) == 2
    assert "no bundle here" in capsys.readouterr().err


@pytest.mark.parametrize("package", ["fastapi"])
def test_without_the_extra_it_is_named(bookshop_bundle, package):
    code = f"import sys; sys.modules[{package!r}] = None; from anticipate.__main__ import main; "
    code += f"sys.exit(main(['serve', {str(bookshop_bundle)!r}]))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)

    assert done.returncode == 2
    assert "pip install 'anticipate-needs[serve]'" in done.stderr


# -- keys ---------------------------------------------------------------------------------


def key_file(folder: Path, text: str, mode: int = 0o600) -> Path:
    file = folder / "keys"
    file.write_text(text, encoding="utf-8")
    file.chmod(mode)
    return file


def test_keys_are_lines_of_sixteen_characters_up(tmp_path):
    file = key_file(tmp_path, "# of the shop\n0123456789abcdef\n\n  " + "x" * 40 + "  \n")

    assert read_keys(file) == ("0123456789abcdef", "x" * 40)


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("0123456789abcde\n", "line 1"),
        ("# only this\n\n", "holds no key"),
        ("", "holds no key"),
        ("0123456789 abcdef\n", "line 1"),
        ("0123456789abcdefé\n", "plain ASCII"),
    ],
)
def test_a_key_that_could_be_guessed_or_not_sent_is_refused(tmp_path, text, word):
    with pytest.raises(ParameterError, match=word) as refused:
        read_keys(key_file(tmp_path, text))
    assert "0123456789" not in str(refused.value)


def test_a_key_file_that_is_not_there(tmp_path):
    with pytest.raises(ReadError, match="No such file"):
        read_keys(tmp_path / "nowhere")


@posix
@pytest.mark.parametrize(("mode", "warned"), [(0o600, 0), (0o640, 0), (0o644, 1), (0o666, 1)])
def test_a_key_file_that_others_may_read_is_warned_of(tmp_path, mode, warned):
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        read_keys(key_file(tmp_path, "0123456789abcdef", mode))

    assert [one.category for one in told] == [AnticipateWarning] * warned


# -- the body as it comes -----------------------------------------------------------------


def read(*messages, seconds=0.05, headers=()):
    """The body of these messages; after the last one nothing comes."""
    left = list(messages)

    async def receive():
        if not left:
            await asyncio.sleep(3600)
        return left.pop(0)

    scope = {"headers": [(b"content-type", b"application/json"), *headers]}
    return asyncio.run(body.read_json(scope, receive, seconds))


def piece(content: bytes, more: bool = True) -> dict[str, object]:
    return {"type": "http.request", "body": content, "more_body": more}


def test_a_body_in_pieces_is_one_body():
    assert read(piece(b'{"a":'), piece(b""), piece(b" [1]}"), piece(b"", False)) == {"a": [1]}


@pytest.mark.parametrize("messages", [[], [piece(b'{"a"')], [piece(b"{}")]])
def test_a_body_that_stalls_is_not_waited_for(messages):
    with pytest.raises(Problem) as refused:
        read(*messages)
    assert refused.value.status == 408
    assert refused.value.headers == {"connection": "close"}


def test_a_client_that_leaves_is_no_error():
    with pytest.raises(ClientGone):
        read(piece(b"{"), {"type": "http.disconnect"})


def test_a_megabyte_is_counted_as_it_comes_and_no_more_is_held():
    """The last piece that fits is the last that is taken."""
    part = b" " * 2**18
    assert read(*[piece(part)] * 3, piece(part[2:] + b"{}", False)) == {}
    with pytest.raises(Problem) as refused:
        read(*[piece(part)] * 4, piece(b" "), {"never": "taken"})
    assert refused.value.status == 413


def test_a_declared_size_is_believed_before_anything_is_read():
    for size in (b"1048577", b"9" * 400):
        with pytest.raises(Problem) as refused:
            read(headers=[(b"content-length", size)])
        assert refused.value.status == 413


def test_the_help_of_all_commands_names_this_one(capsys):
    for words in (["--help"], ["serve", "--help"]):
        with pytest.raises(SystemExit) as stopped:
            main(words)
        assert stopped.value.code == 0
        assert "serve" in capsys.readouterr().out


def test_answering_all_questions_loads_no_pandas(bookshop_bundle):
    """A worker keeps to numpy and what the extra brings."""
    code = f"""
import sys, time
from anticipate.serving.http.app import make_app
app = make_app({str(bookshop_bundle)!r})
app.state.service.current.refresh()
import asyncio, json
from anticipate.serving.http import questions
service, ask = app.state.service, {{"customer_id": "C042", "as_of": "{AS_OF}"}}
async def all_four():
    await service.suggest(questions.SuggestOne(**ask, cart=["B-1984-ebook"]))
    await service.check_cart(questions.CheckOne(**ask, cart=["B-1984-ebook"]))
    await service.churn(questions.AskMany(as_of=ask["as_of"], customer_ids=["C042"]))
    await service.brief(questions.BriefOne(**ask))
asyncio.run(all_four())
print(*[name for name in ("pandas", "sklearn", "implicit", "matplotlib") if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)

    assert (done.stdout.strip(), done.stderr) == ("", "")
