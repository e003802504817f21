from inspector.schema.names import did_you_mean, near, split_method


def test_paths_are_split_at_the_method():
    for path in ("p.S/M", "/p.S/M", "p.S.M"):
        assert split_method(path) == ("p.S", "M")
    assert split_method("M") == ("", "M")


def test_the_same_last_component_comes_first():
    assert near("Item", ["a.Items", "b.Item", "c.Box"]) == ["b.Item"]


def test_spelling_mistakes_are_forgiven_in_large_schemas_too():
    names = [f"pkg.v1.Message{number}" for number in range(20_000)]
    assert near("pkg.v1.Mesage7", names)


def test_suggestions_read_as_a_question():
    assert did_you_mean(["a"]) == "did you mean a?"
    assert did_you_mean(["a", "b", "c"]) == "did you mean a, b or c?"
