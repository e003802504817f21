import os
import threading

import pytest

from inspector import cache
from inspector.errors import SchemaError
from inspector.schema import Schema, compile_cache, protoc

HEAD = 'syntax = "proto3";\n'


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    place = tmp_path / "cache"
    monkeypatch.setenv("INSPECTOR_CACHE", str(place))
    return place


@pytest.fixture
def runs(monkeypatch):
    """The labels of what protoc was run for."""
    labels = []
    run_protoc = protoc.run_protoc

    def counting(paths, roots, label):
        labels.append(label)
        return run_protoc(paths, roots, label)

    monkeypatch.setattr(protoc, "run_protoc", counting)
    return labels


def message(name, field="a"):
    return f"message {name} {{ int32 {field} = 1; }}\n"


def field_of(schema, name):
    return schema.message(name).fields[0].name


def entries(folder):
    return sorted((folder / "schema").iterdir()) if folder.exists() else []


def test_a_folder_is_compiled_once(write, runs, tmp_path):
    write("protos/a.proto", HEAD + 'import "google/protobuf/timestamp.proto";\n' + message("A"))
    write("protos/deep/b.proto", HEAD + message("B"))
    first = Schema.from_protos(tmp_path / "protos")
    second = Schema.from_protos(tmp_path / "protos")
    assert len(runs) == 1
    assert second.files() == first.files()
    assert second.file("a.proto") == first.file("a.proto")
    assert field_of(second, "B") == "a"


def test_a_file_is_compiled_once(write, runs):
    path = write("a.proto", HEAD + message("A"))
    assert [field_of(Schema.from_protos(path), "A") for _ in range(3)] == ["a"] * 3
    assert len(runs) == 1


def test_an_edit_counts_though_size_and_time_are_the_same(write, runs):
    path = write("a.proto", HEAD + message("A", "one"))
    assert field_of(Schema.from_protos(path), "A") == "one"
    before = path.stat()
    path.write_text(HEAD + message("A", "two"))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert path.stat().st_size == before.st_size
    assert field_of(Schema.from_protos(path), "A") == "two"
    path.write_text(HEAD + message("A", "one"))
    assert field_of(Schema.from_protos(path), "A") == "one"
    assert len(runs) == 2


def test_an_edit_of_what_is_imported_by_an_import_counts(write, runs):
    path = write("a.proto", HEAD + 'import public "b.proto";\n' + message("A"))
    write("b.proto", HEAD + "import 'c.proto';\n" + message("B"))
    write("c.proto", HEAD + message("C", "one"))
    assert field_of(Schema.from_protos(path), "C") == "one"
    write("c.proto", HEAD + message("C", "two"))
    assert field_of(Schema.from_protos(path), "C") == "two"
    assert len(runs) == 2


def test_a_new_file_and_one_that_is_gone_count(write, runs, tmp_path):
    write("protos/a.proto", HEAD + message("A"))
    assert Schema.from_protos(tmp_path / "protos").messages() == ["A"]
    new = write("protos/deep/b.proto", HEAD + message("B"))
    assert Schema.from_protos(tmp_path / "protos").messages() == ["A", "B"]
    new.unlink()
    assert Schema.from_protos(tmp_path / "protos").messages() == ["A"]
    assert len(runs) == 2


def test_a_renamed_file_counts(write, runs, tmp_path):
    path = write("protos/a.proto", HEAD + message("A"))
    assert Schema.from_protos(tmp_path / "protos").files() == ["a.proto"]
    path.rename(path.with_name("b.proto"))
    assert Schema.from_protos(tmp_path / "protos").files() == ["b.proto"]


def test_another_import_path_counts(write, runs, tmp_path):
    path = write("mine/a.proto", HEAD + 'import "b.proto";\nmessage A { B b = 1; }')
    for number in ("one", "two"):
        write(f"{number}/b.proto", HEAD + message("B", number))
        schema = Schema.from_protos(path, import_paths=[tmp_path / number])
        assert field_of(schema, "B") == number
    both = [tmp_path / "two", tmp_path / "one"]
    assert field_of(Schema.from_protos(path, import_paths=both), "B") == "two"
    assert field_of(Schema.from_protos(path, import_paths=both[::-1]), "B") == "one"


def test_a_new_file_that_shadows_an_import_counts(write, runs, tmp_path):
    path = write("mine/a.proto", HEAD + 'import "b.proto";\nmessage A { B b = 1; }')
    write("second/b.proto", HEAD + message("B", "second"))
    (tmp_path / "first").mkdir()
    folders = [tmp_path / "first", tmp_path / "second"]
    assert field_of(Schema.from_protos(path, import_paths=folders), "B") == "second"
    shadow = write("first/b.proto", HEAD + message("B", "first"))
    assert field_of(Schema.from_protos(path, import_paths=folders), "B") == "first"
    shadow.unlink()
    assert field_of(Schema.from_protos(path, import_paths=folders), "B") == "second"
    assert len(runs) == 2


def test_another_compiler_counts(write, runs, monkeypatch):
    path = write("a.proto", HEAD + message("A"))
    Schema.from_protos(path)
    monkeypatch.setattr(compile_cache, "_compiler", lambda: ["another"])
    Schema.from_protos(path)
    assert len(runs) == 2


def test_mistakes_are_not_kept_and_told_each_time(write, runs, folder):
    path = write("a.proto", HEAD + "message A { Missing a = 1; }")
    told = []
    for _ in range(2):
        with pytest.raises(SchemaError) as caught:
            Schema.from_protos(path)
        told.append(str(caught.value))
    assert told[0] == told[1]
    assert len(runs) == 2
    assert entries(folder) == []


def test_a_mistake_made_later_is_told(write, runs):
    path = write("a.proto", HEAD + message("A"))
    Schema.from_protos(path)
    path.write_text(HEAD + "message A {")
    with pytest.raises(SchemaError, match=r"a\.proto"):
        Schema.from_protos(path)


@pytest.mark.parametrize("damage", [
    lambda data: b"", lambda data: data[:-1], lambda data: data[:20], lambda data: data + b"\0",
    lambda data: data[:-3] + bytes([data[-3] ^ 1]) + data[-2:], lambda data: bytes(len(data)),
], ids=["empty", "cut", "cut early", "longer", "flipped", "zeros"])  # fmt: skip
def test_a_damaged_entry_is_made_anew(write, runs, folder, damage):
    path = write("a.proto", HEAD + message("A"))
    Schema.from_protos(path)
    [entry] = entries(folder)
    whole = entry.read_bytes()
    entry.write_bytes(damage(whole))
    assert field_of(Schema.from_protos(path), "A") == "a"
    assert len(runs) == 2
    assert entry.read_bytes() == whole


def test_what_changed_while_it_was_compiled_is_not_kept(write, monkeypatch, folder):
    path = write("a.proto", HEAD + message("A", "one"))
    run_protoc = protoc.run_protoc

    def changing(paths, roots, label):
        data = run_protoc(paths, roots, label)
        path.write_text(HEAD + message("A", "two"))
        return data

    monkeypatch.setattr(protoc, "run_protoc", changing)
    assert field_of(Schema.from_protos(path), "A") == "one"
    assert entries(folder) == []
    monkeypatch.setattr(protoc, "run_protoc", run_protoc)
    assert field_of(Schema.from_protos(path), "A") == "two"


def test_what_imports_a_file_that_was_not_foreseen_is_not_kept(write, monkeypatch, folder):
    write("b.proto", HEAD + message("B"))
    path = write("a.proto", HEAD + 'import "b.proto";\nmessage A { B b = 1; }')
    monkeypatch.setattr(compile_cache, "imports_of", lambda _: [])
    Schema.from_protos(path)
    assert entries(folder) == []


@pytest.mark.parametrize("made", ["off", "a file", "not writable"])
def test_without_a_cache_folder_it_works(write, runs, folder, monkeypatch, made, capfd):
    path = write("a.proto", HEAD + message("A"))
    if made == "off":
        monkeypatch.setenv("INSPECTOR_CACHE", "off")
    elif made == "a file":
        folder.write_bytes(b"")
    else:
        monkeypatch.setattr(os, "replace", lambda *_: (_ for _ in ()).throw(PermissionError(13, "Permission denied")))
    assert [field_of(Schema.from_protos(path), "A") for _ in range(2)] == ["a", "a"]
    assert len(runs) == 2
    assert capfd.readouterr() == ("", "")


def test_what_others_could_have_written_is_not_believed(write, runs, folder):
    path = write("a.proto", HEAD + message("A"))
    Schema.from_protos(path)
    folder.chmod(0o777)
    assert field_of(Schema.from_protos(path), "A") == "a"
    assert len(runs) == 2


def test_several_at_once_all_get_it(write, folder):
    path = write("a.proto", HEAD + message("A"))
    found = []
    threads = [threading.Thread(target=lambda: found.append(Schema.from_protos(path).messages())) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert found == [["A"]] * 4
    assert len(entries(folder)) == 1
    assert cache.folder() == folder
