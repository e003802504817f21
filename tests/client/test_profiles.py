"""Named targets out of inspector.toml."""

from __future__ import annotations

import pytest

from inspector.client import profiles
from inspector.errors import InputError

WHOLE = """
[targets.staging]
address = "grpcs://staging.example:443"
insecure = true
cacert = "certs/ca.pem"
servername = "api"
max-time = 2.5
max-msg-sz = 1000
headers = ["authorization: Bearer ${TOKEN}", "x-a: b", "@fields"]
reflect-headers = ["x-r: 1"]
schema = ["protos", "python:shop.v1", "grpc://other:1"]
import-path = "include"
"""


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A user's config folder, and a working folder beside it."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    (tmp_path / "config/inspector").mkdir(parents=True)
    work = tmp_path / "work"
    (work / "below/deeper").mkdir(parents=True)
    return work


def written(folder, text):
    path = folder / profiles.FILE
    path.write_text(text)
    return path


def test_a_target_is_found_upward_and_its_paths_start_at_its_folder(home):
    path = written(home, WHOLE)
    found = profiles.find("staging", home / "below/deeper")
    assert found == profiles.Profile(
        "staging",
        str(path),
        "grpcs://staging.example:443",
        {"insecure": True, "cacert": f"{home}/certs/ca.pem", "servername": "api", "max-time": 2.5, "max-msg-sz": 1000},
        ("authorization: Bearer ${TOKEN}", "x-a: b", f"@{home}/fields"),
        (),
        ("x-r: 1",),
        (f"{home}/protos", "python:shop.v1", "grpc://other:1"),
        (f"{home}/include",),
    )


def test_the_nearest_file_that_has_the_name_counts(home):
    written(home.parent / "config/inspector", '[targets.a]\naddress="user:1"\n[targets.b]\naddress="user:2"\n')
    written(home, '[targets.a]\naddress="far:1"\n[targets.c]\naddress="far:3"\n')
    written(home / "below", '[targets.a]\naddress="near:1"\n')
    folder = home / "below/deeper"
    assert [profiles.find(name, folder).address for name in "abc"] == ["near:1", "user:2", "far:3"]
    assert profiles.names(folder) == ["a", "b", "c"]


def test_a_name_that_is_not_there_is_answered_with_those_that_are_near(home):
    written(home, WHOLE)
    with pytest.raises(InputError, match=r"there is no target @stagin \(there is @staging\)"):
        profiles.find("stagin", home)


def test_without_any_file_the_error_says_where_targets_are_named(home):
    with pytest.raises(InputError, match=r"there is no target @a \(targets are named in inspector.toml"):
        profiles.find("a", home)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a = 1\n[targets..a]", r"this is not TOML: .*line 2"),
        (f"a = {'1' * 5000}", "this is not TOML"),
        ("a = " + "[" * 20_000, "this is not TOML"),
        ("targets = 1", "targets is not a table"),
        ("targets.a = 1", "targets.a is not a table"),
        ("[targets.a]\nmax-time = 1", "targets.a has no address"),
        (
            '[targets.a]\naddress = "b:1"\nplain-text = true',
            r"targets.a.plain-text is not known .did you mean plaintext",
        ),
        ('[targets.a]\naddress = "b:1"\nmax-time = true', "targets.a.max-time is not a number"),
        ('[targets.a]\naddress = "b:1"\nmax-time = nan', "targets.a.max-time is not a number over 0"),
        ('[targets.a]\naddress = "b:1"\nconnect-timeout = inf', "targets.a.connect-timeout is not a number over 0"),
        ('[targets.a]\naddress = "b:1"\nmax-msg-sz = -5', "targets.a.max-msg-sz is not a number over 0"),
        ('[targets.a]\naddress = "b:1"\ncompress = "foo"', "targets.a.compress is not one of identity, gzip"),
        ('[targets.a]\naddress = "b:1"\nheaders = [1]', "targets.a.headers is not a list of texts"),
        ('[targets.a]\naddress = "b:1"\nplaintext = "yes"', "targets.a.plaintext is not true or false"),
    ],
)
def test_a_mistake_is_told_with_its_place(home, text, said):
    path = written(home, text)
    with pytest.raises(InputError, match=said) as caught:
        profiles.find("a", home)
    assert caught.value.where == str(path)


def test_a_file_that_others_may_write_is_not_believed(home):
    written(home, WHOLE).chmod(0o666)
    with pytest.raises(InputError, match="other users may write this file"):
        profiles.find("staging", home)
    assert profiles.names(home) == []


def test_a_file_of_any_size_is_not_read(home):
    written(home, "#" * (profiles.MAX_SIZE + 1))
    with pytest.raises(InputError, match="it is larger than"):
        profiles.find("a", home)
