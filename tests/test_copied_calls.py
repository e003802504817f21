"""What `show --as` prints is run: the server gets the same requests and metadata as from the first client."""

from __future__ import annotations

import json
import signal
import subprocess
import sys

import pytest
from command import PATIENCE, SCHEMA, environment, run, start
from typed_server import SERVICE, serving

NASTY = "it's \"q\" $HOME `id` \\ \n\t\x00\x1b[31m \u00e9 \U0001f600 \u202e ${HOME} !! %s \x7f ''' --"
HEADER = 'it\'s $HOME `id` "q" !x \\ %s'
FIELDS = ("-H", f"x-a: {HEADER}", "-H", "k-bin: AAE=", "-H", "authorization: Bearer secret", "-H", "2-token: secret")
CALLS = {
    "unary": ("Predict", [{"model": NASTY, "context": {"requestId": "7"}}], (*FIELDS, "--max-time", "20")),
    "stream": ("Converse", [{"text": "a'b"}, {"text": NASTY}, {}], ()),
    "one-empty": ("Converse", [{}], ()),
    "none": ("UploadDataset", [], ()),
    "compressed": ("Predict", [{"model": "m" * 3000}], ("--compress", "gzip")),
    "large": ("Predict", [{"model": NASTY * 4000}], ()),
}
SECRETS = {"AUTHORIZATION": "Bearer secret", "_2_TOKEN": "secret"}


@pytest.fixture(scope="module")
def server():
    with serving(SCHEMA) as (address, handler):
        yield address, handler


@pytest.fixture(scope="module")
def logs(server, tmp_path_factory):
    """The calls, recorded: name -> its log."""
    folder = tmp_path_factory.mktemp("logs")
    return {name: recorded(f"grpc://{server[0]}", folder / name, *CALLS[name]) for name in CALLS}


def recorded(target, path, method, requests, options):
    proxy = start("record", "--listen", "127.0.0.1:0", "--target", target, "-o", path)
    address = proxy.stderr.readline().decode().partition("listening on ")[2].partition(",")[0]
    data = "\n".join(map(json.dumps, requests)).encode()
    made = run("call", f"grpc://{address}", f"{SERVICE}/{method}", "-s", SCHEMA, "-d", "@", *options, stdin=data)
    proxy.send_signal(signal.SIGINT)
    proxy.communicate(timeout=PATIENCE)
    assert (made.code, made.err) == (0, "")
    return path


def shown(path, form, *schema):
    result = run("show", path, 1, "--as", form, *schema)
    assert (result.code, result.err) == (0, "")
    assert b"secret" not in result.out
    return result.out.decode()


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("schema", [(), ("-s", SCHEMA)], ids=["bytes", "schema"])
@pytest.mark.parametrize("form", ["inspector", "curl", "python"])
def test_it_makes_the_same_call(server, logs, tmp_path, name, schema, form):
    _, handler = server
    path = tmp_path / "program"
    text = shown(logs[name], form, *schema)
    stub = f'inspector() {{ {sys.executable} -m inspector "$@"; }}\n'
    path.write_text(text if form == "python" else f"set -o pipefail\n{stub}{text}", encoding="utf-8")
    handler.requests.clear()
    handler.metadata.clear()
    done = subprocess.run(
        [sys.executable if form == "python" else "bash", path], capture_output=True, timeout=PATIENCE, check=False,
        env=environment(**SECRETS),
    )  # fmt: skip
    assert (done.returncode, b"Traceback" in done.stderr) == (0, False), done.stderr
    assert b"by field number" not in done.stderr
    assert done.stdout
    assert handler.requests == CALLS[name][1]
    if name == "unary":
        sent = {key: handler.metadata[0].get(key) for key in ("x-a", "k-bin", "authorization", "2-token")}
        assert sent == {"x-a": HEADER, "k-bin": b"\0\1", "authorization": "Bearer secret", "2-token": "secret"}


@pytest.mark.parametrize("name", sorted(set(CALLS) - {"none", "large"}))
def test_grpcurl_is_given_the_same_call(logs, name):
    text = shown(logs[name], "grpcurl", "-s", SCHEMA)
    done = subprocess.run(
        ["bash", "-c", f"grpcurl() {{ printf '%s\\0' \"$@\"; }}\n{text}"], capture_output=True, check=True,
        env=environment(**SECRETS),
    )  # fmt: skip
    words = done.stdout.decode().split("\0")
    documents = words[words.index("-d") + 1].split("\n")
    assert [json.loads(each) for each in documents] == CALLS[name][1]
    assert (f"x-a: {HEADER}" in words) == (name == "unary")


def test_over_a_unix_socket(tmp_path):
    with serving(SCHEMA, f"unix:{tmp_path}/s") as (address, handler):
        path = recorded(address, tmp_path / "log", "Predict", [{"model": "m"}], ())
        for form in ("inspector", "curl"):
            handler.requests.clear()
            program = f'inspector() {{ {sys.executable} -m inspector "$@"; }}\n{shown(path, form, "-s", SCHEMA)}'
            done = subprocess.run(["bash", "-c", program], env=environment(), capture_output=True, check=True)
            assert json.loads(done.stdout) == {"model": "m"}
            assert handler.requests == [{"model": "m"}]
    assert f"-unix \\\n  {tmp_path}/s {SERVICE}/Predict" in shown(path, "grpcurl", "-s", SCHEMA)
