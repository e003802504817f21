import pytest
from google.protobuf.descriptor_pb2 import FieldDescriptorProto, FileDescriptorProto, FileDescriptorSet
from grpc_reflection.v1alpha.reflection_pb2 import ServerReflectionResponse
from hypothesis import given, settings
from hypothesis import strategies as st
from random_schemas import schemas
from reflection_servers import NOT_FOUND, Server, StreamEnd, WithImports, error, talk, with_files

from inspector.errors import SchemaError
from inspector.schema import Schema
from inspector.schema.conflicts import definitions, difference
from inspector.schema.descriptor_set import all_messages, parse_descriptor_set
from inspector.schema.reflection import Reflection
from inspector.schema.type_references import references

F = FieldDescriptorProto


def file(name, package="shop", *, imports=(), messages=(), **fields):
    """A file; `messages` maps names to fields, name -> type name (`.shop.Item`) or kind."""
    made = FileDescriptorProto(name=name, package=package, syntax="proto3", dependency=imports, **fields)
    for message, members in dict(messages).items():
        node = made.message_type.add(name=message)
        for number, (member, kind) in enumerate(members.items(), 1):
            is_name = isinstance(kind, str)
            node.field.add(name=member, number=number, label=1, type=F.TYPE_MESSAGE if is_name else kind,
                           type_name=kind if is_name else None)  # fmt: skip
    return made


def service(made, name, **methods):
    node = made.service.add(name=name)
    for method, (request, response) in methods.items():
        node.method.add(name=method, input_type=request, output_type=response)
    return made


ITEM = file("shop/item.proto", messages={"Item": {"name": F.TYPE_STRING}})
ORDERS = service(
    file("shop/orders.proto", imports=["shop/item.proto"], messages={"Order": {"item": ".shop.Item"}}),
    "Orders",
    Place=(".shop.Order", ".shop.Item"),
)


class Abrupt(Server):
    """Ends the stream where it has not what is asked for."""

    def found(self, files):
        answer = super().found(files)
        if answer.HasField("error_response"):
            raise StreamEnd(NOT_FOUND, "no")
        return answer


def schema_of(reflected):
    return Schema([parse_descriptor_set(reflected.data, "server")])


def files_of(reflected):
    return {each.name: each for each in FileDescriptorSet.FromString(reflected.data).file}


def test_a_good_server_s_files_come_as_they_are():
    for kind in (Server, WithImports):
        reflected = talk(kind(ORDERS, ITEM).answer)
        assert files_of(reflected) == {"shop/orders.proto": ORDERS, "shop/item.proto": ITEM}
        assert (reflected.problems, reflected.is_whole) == ((), True)


def test_one_symbol_needs_no_more_than_its_files():
    other = service(file("shop/other.proto", messages={"Other": {}}), "Others", Get=(".shop.Other", ".shop.Other"))
    for symbol in ("shop.Orders/Place", "/shop.Orders/Place", "shop.Orders", ".shop.Orders"):
        server = Server(other, ORDERS, ITEM)
        reflected = talk(server.answer, symbol)
        assert set(files_of(reflected)) == {"shop/orders.proto", "shop/item.proto"}
        assert len(server.requests) == 2
    assert set(files_of(talk(Server(other, ORDERS, ITEM).answer, "shop.Item"))) == {"shop/item.proto"}


def test_a_method_is_found_by_its_service():
    assert schema_of(talk(Server(ORDERS, ITEM).answer, "shop.Orders.Place")).methods() == ["shop.Orders/Place"]


def test_where_a_symbol_is_not_there_all_services_are_for_near_names():
    with pytest.raises(SchemaError, match=r"did you mean shop\.Orders\.Place"):
        schema_of(talk(Server(ORDERS, ITEM).answer, "shop.Order/Place")).method("shop.Order/Place")


def test_thousands_of_services_take_few_requests_where_a_file_holds_many():
    many = [file(f"f{n}.proto", messages={f"M{n}": {}}) for n in range(20)]
    for n, made in enumerate(many):
        for m in range(100):
            service(made, f"S{n}x{m}", Get=(f".shop.M{n}", f".shop.M{n}"))
    server = Server(*many)
    assert len(schema_of(talk(server.answer)).services()) == 2000
    assert len(server.requests) < 200


def test_requests_are_sent_before_earlier_ones_are_answered():
    reflection = Reflection()
    server = Server(*(service(file(f"f{n}.proto", f"p{n}"), "S") for n in range(200)))
    rounds = 0
    while not reflection.is_done:
        rounds += 1
        asked = list(iter(reflection.next_question, None))
        for question in asked:
            reflection.receive(server.answer(question).SerializeToString())
    assert len(reflection.result().data) > 0
    assert rounds < 15


def test_answers_may_come_in_any_order():
    reflected = talk(Server(ORDERS, ITEM, *(service(file(f"f{n}.proto", f"p{n}"), "S") for n in range(50))).answer,
                     reversed_=True)  # fmt: skip
    assert len(schema_of(reflected).services()) == 51


def test_a_server_need_not_repeat_the_request():
    class Terse(Server):
        def answer(self, request):
            answer = super().answer(request)
            answer.ClearField("original_request")
            return answer

    assert schema_of(talk(Terse(ORDERS, ITEM).answer)).method("shop.Orders/Place")


def test_an_import_that_is_known_by_another_name_is_found_by_what_is_used_of_it():
    orders = FileDescriptorProto.FromString(ORDERS.SerializeToString())
    orders.dependency[:] = ["protos/item.proto"]
    reflected = talk(Server(orders, ITEM).answer)
    assert schema_of(reflected).message("shop.Order").fields_by_name["item"].message_type.full_name == "shop.Item"
    assert list(files_of(reflected)["shop/orders.proto"].dependency) == ["shop/item.proto"]
    assert reflected.problems == ()


def test_an_import_of_which_nothing_is_used_may_be_missing():
    orders = FileDescriptorProto.FromString(ORDERS.SerializeToString())
    orders.dependency.append("openapi/v3/annotations.proto")
    reflected = talk(Server(orders, ITEM).answer)
    assert schema_of(reflected).method("shop.Orders/Place")
    assert reflected.problems == ()


def test_a_type_that_is_nowhere_is_an_empty_one_and_told():
    reflected = talk(Server(ORDERS).answer)
    message = schema_of(reflected).message_class("shop.Order").FromString(b"\x0a\x03\x0a\x01x")
    assert message.item.ByteSize() == 3
    (problem,) = reflected.problems
    assert problem.startswith("no file of the server defines shop.Item, used by shop.Order.item, shop.Orders.Place")


def test_missing_types_lie_where_their_names_say():
    made = file("a.proto", "a", messages={"Here": {}, "A": {"x": ".a.Here.In", "y": ".b.Out", "z": ".b.Out.In.Most"}})
    made.message_type[1].field.add(name="e", number=9, type=F.TYPE_ENUM, label=1, type_name=".b.Kind")
    service(made, "S", M=(".a.A", ".a.A"))
    reflected = talk(Server(made).answer)
    schema = schema_of(reflected)
    assert {each.name for each in schema.message("a.A").fields} == {"x", "y", "z", "e"}
    assert schema.message("a.Here.In")
    assert schema.message("b.Out.In.Most")
    assert schema.message("a.A").fields_by_name["e"].enum_type.full_name == "b.Kind"


def test_an_extension_of_a_type_that_is_nowhere_is_left_out():
    made = service(file("a.proto", messages={"A": {}}), "S", M=(".shop.A", ".shop.A"))
    made.extension.add(name="ext", number=100, type=F.TYPE_STRING, label=1, extendee=".other.Base")
    reflected = talk(Server(made).answer)
    assert schema_of(reflected).method("shop.S/M")
    assert "other.Base" in reflected.problems[0]


def test_type_names_may_be_relative():
    for name in ("shop.Item", "Item", ".Item"):
        orders = service(
            file("shop/orders.proto", imports=["shop/item.proto"], messages={"Order": {"item": name}}),
            "Orders",
            Place=("Order", "shop.Item"),
        )
        reflected = talk(Server(orders, ITEM).answer)
        assert schema_of(reflected).method("shop.Orders/Place").output_type.full_name == "shop.Item"
        assert files_of(reflected)["shop/orders.proto"].message_type[0].field[0].type_name == ".shop.Item"
        assert reflected.problems == ()


def test_a_relative_name_means_the_innermost_type():
    made = file("a.proto", messages={"Item": {}, "Order": {"item": "Item"}})
    made.message_type[1].nested_type.add(name="Item")
    service(made, "S", M=("Order", "Item"))
    found = files_of(talk(Server(made).answer))["a.proto"]
    assert found.message_type[1].field[0].type_name == ".shop.Order.Item"
    assert found.service[0].method[0].output_type == ".shop.Item"


def test_a_relative_name_without_an_import_is_asked_for_in_all_its_scopes():
    orders = service(file("shop/orders.proto", "shop.v1", messages={"Order": {"item": "Item"}}), "Orders")
    item = file("item.proto", "shop", messages={"Item": {}})
    reflected = talk(Server(orders, item).answer)
    assert schema_of(reflected).message("shop.v1.Order").fields[0].message_type.full_name == "shop.Item"


def test_known_types_come_from_here_where_the_server_lacks_them():
    made = file("a.proto", imports=["github.com/x/timestamp.proto"],
                messages={"A": {"at": "google.protobuf.Timestamp", "why": ".google.rpc.Status"}})  # fmt: skip
    reflected = talk(Server(service(made, "S", M=(".shop.A", ".google.protobuf.Empty"))).answer)
    schema = schema_of(reflected)
    assert schema.message("shop.A").fields[1].message_type.full_name == "google.rpc.Status"
    assert schema.method("shop.S/M").output_type.full_name == "google.protobuf.Empty"
    assert reflected.problems == ()


def test_one_file_under_two_names_is_one():
    twin = FileDescriptorProto.FromString(ITEM.SerializeToString())
    twin.name = "/build/x/item.proto"
    user = service(file("user.proto", "user", imports=[twin.name], messages={"User": {"item": ".shop.Item"}}), "Users")
    reflected = talk(Server(ORDERS, user, ITEM, twin).answer)
    (kept,) = files_of(reflected).keys() - {"shop/orders.proto", "user.proto"}
    assert list(files_of(reflected)["user.proto"].dependency) == [kept]
    assert list(files_of(reflected)["shop/orders.proto"].dependency) == [kept]
    assert schema_of(reflected).message("user.User")


def test_two_files_of_one_name_are_two():
    first = service(file("service.proto", "a", messages={"A": {}}), "S", M=(".a.A", ".a.A"))
    second = service(file("service.proto", "b", messages={"B": {}}), "S", M=(".b.B", ".b.B"))
    reflected = talk(Server(first, second).answer)
    assert schema_of(reflected).methods() == ["a.S/M", "b.S/M"]
    assert schema_of(reflected).method("b.S/M").output_type.full_name == "b.B"
    assert len(files_of(reflected)) == 2


def test_of_two_definitions_of_one_name_the_first_is_taken_and_told():
    other = service(file("other.proto", messages={"Item": {"weight": F.TYPE_INT32}}), "Others")
    reflected = talk(Server(other, ORDERS, ITEM).answer)
    assert schema_of(reflected).message("shop.Item").fields[0].name == "weight"
    assert reflected.problems == ("defined in several ways, of which the first is taken: shop.Item",)


def test_files_without_a_name_get_one():
    nameless = service(file("", messages={"A": {}}), "S", M=(".shop.A", ".shop.A"))
    other = service(file("", "b", messages={"B": {}}), "S", M=(".b.B", ".b.B"))
    reflected = talk(Server(nameless, other).answer)
    assert set(files_of(reflected)) == {"unnamed/shop.A.proto", "unnamed/b.B.proto"}
    assert schema_of(reflected).methods() == ["b.S/M", "shop.S/M"]


def test_a_missing_json_name_is_the_usual_one():
    made = service(file("a.proto", messages={"A": {"some_name": F.TYPE_STRING}}), "S", M=(".shop.A", ".shop.A"))
    assert schema_of(talk(Server(made).answer)).message("shop.A").fields[0].json_name == "someName"


def test_a_message_with_a_map_that_is_marked_as_an_entry_is_a_message():
    made = service(
        file("a.proto", messages={"A": {"tags": ".shop.A.TagsEntry"}}), "S", M=(".shop.A", ".shop.A")
    )  # fmt: skip
    message = made.message_type[0]
    message.options.map_entry = True
    message.field[0].label = F.LABEL_REPEATED
    entry = message.nested_type.add(name="TagsEntry", options={"map_entry": True})
    for number, name in enumerate(("key", "value"), 1):
        entry.field.add(name=name, number=number, label=F.LABEL_OPTIONAL, type=F.TYPE_STRING)
    found = schema_of(talk(Server(made).answer))
    assert not found.message("shop.A").GetOptions().map_entry
    assert found.message("shop.A.TagsEntry").GetOptions().map_entry


def test_messages_in_files_of_their_own_may_need_each_other():
    first = file("shop.A.proto", imports=["shop.B.proto"], messages={"A": {"b": ".shop.B"}})
    second = file(
        "shop.B.proto", imports=["shop.A.proto", "shop.C.proto"], messages={"B": {"a": ".shop.A", "c": ".shop.C"}}
    )
    third = file("shop.C.proto", messages={"C": {}})
    made = service(file("s.proto", imports=[first.name, second.name]), "S", M=(".shop.A", ".shop.B"))
    reflected = talk(Server(made, first, second, third).answer)
    assert schema_of(reflected).method("shop.S/M").input_type.fields[0].message_type.full_name == "shop.B"
    assert {each.name for each in schema_of(reflected).message("shop.B").fields} == {"a", "c"}
    assert reflected.problems == ()


def test_a_circle_of_imports_that_are_not_used_is_opened():
    first = service(file("a.proto", "a", imports=["b.proto"], messages={"A": {"b": ".b.B"}}), "S", M=(".a.A", ".b.B"))
    second = file("b.proto", "b", imports=["a.proto"], messages={"B": {}})
    reflected = talk(Server(first, second).answer)
    assert schema_of(reflected).method("a.S/M")
    assert list(files_of(reflected)["b.proto"].dependency) == []
    assert set(files_of(reflected)) == {"a.proto", "b.proto"}


def test_packages_whose_files_need_each_other_are_sorted_into_files_that_do_not():
    first = service(file("a.proto", "a", imports=["b.proto"], messages={"A": {"b": ".b.B"}, "Id": {}}), "S",
                    M=(".a.A", ".b.B"))  # fmt: skip
    second = file("b.proto", "b", imports=["a.proto"], messages={"B": {"id": ".a.Id"}, "Id": {}})
    reflected = talk(Server(first, second).answer)
    schema = schema_of(reflected)
    assert schema.method("a.S/M").output_type.fields[0].message_type.full_name == "a.Id"
    assert schema.messages() == ["a.A", "a.Id", "b.B", "b.Id"]
    assert reflected.problems == ()


def test_types_of_two_packages_that_need_each_other_are_bytes_where_they_do():
    first = service(file("a.proto", "a", imports=["b.proto"], messages={"A": {"b": ".b.B"}}), "S", M=(".a.A", ".b.B"))
    second = file("b.proto", "b", imports=["a.proto"], messages={"B": {"a": ".a.A", "name": F.TYPE_STRING}})
    reflected = talk(Server(first, second).answer)
    message = schema_of(reflected).message_class("a.A").FromString(b"\x0a\x02\x12\x00")
    assert message.b == b"\x12\x00"
    assert reflected.problems == (
        "types of several packages need each other; these fields are taken as bytes: a.A.b, b.B.a",
    )


def test_extensions_are_asked_for():
    base = file("base.proto", messages={"Base": {}})
    base.syntax = "proto2"
    base.message_type[0].extension_range.add(start=100, end=200)
    extending = file("more.proto", "more", imports=["base.proto"])
    extending.syntax = "proto2"
    extending.extension.add(name="ext", number=101, type=F.TYPE_STRING, label=1, extendee=".shop.Base")
    service(base, "S", M=(".shop.Base", ".shop.Base"))
    schema = schema_of(talk(Server(base, extending).answer))
    base = schema.message("shop.Base")
    assert [each.full_name for each in schema.pool.FindAllExtensions(base)] == ["more.ext"]


def test_a_server_may_end_the_stream_to_say_that_it_has_not_what_is_asked():
    class WithoutExtensions(Abrupt):
        def all_extension_numbers_of_type(self, name):
            raise StreamEnd(NOT_FOUND, "extensions are not supported")

    orders = FileDescriptorProto.FromString(ORDERS.SerializeToString())
    orders.dependency[:] = ["a.proto", "b.proto", "c.proto"]
    many = [service(file(f"f{n}.proto", f"p{n}"), "S") for n in range(20)]
    server = WithoutExtensions(
        orders, ITEM, *many, services=["gone.A", "shop.Orders", "gone.B", *(f"p{n}.S" for n in range(20))]
    )
    reflected = talk(server.answer)
    assert len(schema_of(reflected).services()) == 21
    assert schema_of(reflected).method("shop.Orders/Place")
    assert reflected.problems == ("the server lists gone.A, gone.B, but gives no file with that: NOT_FOUND: no",)


def test_a_server_may_end_each_stream_after_an_answer():
    answered = []

    def answer(request):
        if answered:
            answered.clear()
            raise StreamEnd(0)
        answered.append(request)
        return server.answer(request)

    server = Server(ORDERS, ITEM, *(service(file(f"f{n}.proto", f"p{n}"), "S") for n in range(20)))
    reflected = talk(answer)
    assert len(schema_of(reflected).services()) == 21
    assert reflected.is_whole


def test_a_server_that_goes_away_leaves_what_it_gave():
    class Dying(Server):
        def file_by_filename(self, name):
            raise StreamEnd(14, "shutting down")

    reflected = talk(Dying(ORDERS, ITEM).answer)
    assert not reflected.is_whole
    assert reflected.problems[0] == "the schema is not whole: the server ended the stream: UNAVAILABLE: shutting down"
    assert schema_of(reflected).method("shop.Orders/Place")


def test_a_server_that_does_not_list_services_still_has_symbols():
    class Secretive(Server):
        def list_services(self, _):
            return error(7, "not for you")

    assert schema_of(talk(Secretive(ORDERS, ITEM).answer, "shop.Orders/Place")).method("shop.Orders/Place")
    with pytest.raises(SchemaError, match="does not list its services: PERMISSION_DENIED: not for you"):
        talk(Secretive(ORDERS, ITEM).answer)


def test_a_server_may_know_files_by_symbol_only():
    class BySymbol(Server):
        def file_by_filename(self, _):
            return error(12, "not implemented")

    server = BySymbol(ORDERS, ITEM)
    assert schema_of(talk(server.answer)).method("shop.Orders/Place")


def test_that_reflection_itself_has_no_file_is_nothing_to_tell():
    own = ["grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection"]
    assert talk(Server(ORDERS, ITEM, services=["shop.Orders", *own]).answer).problems == ()


def test_a_listed_service_that_has_no_file_is_told():
    reflected = talk(Server(ORDERS, ITEM, services=["shop.Orders", "shop.Go\x1bne"]).answer)
    assert reflected.problems == (
        "the server lists shop.Go\\x1bne, but gives no file with that: NOT_FOUND: no such thing",
    )


@pytest.mark.parametrize(
    ("server", "message"),
    [
        (Server(), "the server lists no services"),
        (Server(services=["a.B"]), "lists a.B, but gives no file with that: NOT_FOUND"),
    ],
)
def test_a_server_that_gives_nothing_is_an_error(server, message):
    with pytest.raises(SchemaError, match=message):
        talk(server.answer)
    with pytest.raises(SchemaError):
        talk(server.answer, "a.B")


def test_an_empty_file_in_place_of_a_missing_one_is_none():
    class Placeholders(Server):
        def file_by_filename(self, name):
            found = super().file_by_filename(name)
            placeholder = FileDescriptorProto(name=name, syntax="<unknown:0>")
            return with_files(placeholder.SerializeToString()) if found.HasField("error_response") else found

    orders = FileDescriptorProto.FromString(ORDERS.SerializeToString())
    orders.dependency[:] = ["elsewhere/item.proto"]
    reflected = talk(Placeholders(orders, ITEM).answer)
    assert schema_of(reflected).method("shop.Orders/Place").output_type.full_name == "shop.Item"
    assert reflected.problems == ()


def test_files_that_do_not_parse_are_told():
    class Garbling(Server):
        def file_by_filename(self, _):
            return with_files(b"\x0a\xff\xff")

    reflected = talk(Garbling(ORDERS).answer)
    assert schema_of(reflected).services() == ["shop.Orders"]
    assert any("are no descriptors" in problem for problem in reflected.problems)


@pytest.mark.parametrize(
    "answer",
    [
        lambda _: ServerReflectionResponse(),
        lambda _: error(0, ""),
        lambda _: with_files(b"", b"\x00"),
        lambda _: Server().list_services(""),
    ],
)
def test_answers_that_answer_nothing_end(answer):
    with pytest.raises(SchemaError):
        talk(answer)
    with pytest.raises(SchemaError):
        talk(answer, "a.B")


def test_an_answer_to_another_question_is_taken_for_what_it_holds():
    answer = with_files(ORDERS.SerializeToString(), ITEM.SerializeToString())
    reflected = talk(lambda _: answer)
    assert schema_of(reflected).method("shop.Orders/Place")
    assert reflected.problems == (
        "the server does not list its services: the server answered with file_descriptor_response",
    )


def test_imports_without_end_come_to_an_end(monkeypatch):
    monkeypatch.setattr("inspector.limits.MAX_REFLECTION_REQUESTS", 500)

    class Endless(Server):
        def file_by_filename(self, name):
            number = int(name[1:]) + 1
            return with_files(
                file(f"f{number - 1}", f"p{number}", imports=[f"f{number}"], messages={"M": {}}).SerializeToString()
            )

    start = service(file("start", imports=["f0"], messages={"A": {}}), "S", M=(".shop.A", ".shop.A"))
    reflected = talk(Endless(start).answer)
    assert schema_of(reflected).method("shop.S/M")
    assert not reflected.is_whole
    assert reflected.problems[0] == "the schema is not whole: after 500 requests there was still more to be asked"


def test_too_many_bytes_are_not_taken(monkeypatch):
    monkeypatch.setattr("inspector.limits.MAX_REFLECTED_BYTES", 1000)
    many = [service(file(f"f{n}.proto", f"p{n}", messages={"M" * 100: {}}), "S") for n in range(20)]
    reflected = talk(Server(*many).answer)
    assert not reflected.is_whole
    assert len(reflected.data) < 1100
    assert "its files are larger than" in reflected.problems[0]


def test_a_file_that_is_sent_again_and_again_is_not_taken_for_ever(monkeypatch):
    monkeypatch.setattr("inspector.limits.MAX_REFLECTED_REPEATS", 100_000)
    again = with_files(*[ORDERS.SerializeToString()] * 200)
    reflected = talk(lambda request: Server(ORDERS).answer(request) if request.list_services else again)
    assert "it sent more than" in reflected.problems[0]
    assert schema_of(reflected).services() == ["shop.Orders"]


@pytest.mark.parametrize("kind", [F.TYPE_STRING, "M0", "Missing"])
def test_names_that_are_long_in_full_are_bounded(monkeypatch, kind):
    monkeypatch.setattr("inspector.limits.MAX_REFLECTED_NAMES", 1_000_000)
    made = service(file("a.proto", "p" * 1000, messages={f"M{n}": {"x": kind} for n in range(900)}), "S")
    good = service(file("good.proto", messages={"A": {}}), "Good", Get=(".shop.A", ".shop.A"))
    reflected = talk(Server(good, made).answer)
    assert "the names in its files are longer than" in reflected.problems[0]
    assert schema_of(reflected).services() == ["shop.Good"]


# --- any schema, served in any bad way ---


@st.composite
def servings(draw):
    """A random schema in one file, and the same as a server may have it."""
    file = FileDescriptorProto()
    draw(schemas()).pool.FindFileByName("t.proto").CopyToProto(file)
    service(file, "Svc", Get=(".t.M0", ".t.M1"), List=(".t.M1", ".t.M2"))
    kind = draw(st.sampled_from([Server, WithImports, Abrupt]))
    served = one_file_each(draw, file) if draw(st.booleans()) else [copy(file)]
    if draw(st.booleans()):
        for each in served:
            each.name = draw(st.sampled_from(["", each.name, "same.proto", f"/x/{each.name}"]))
    if draw(st.booleans()):
        for each in served:
            del each.dependency[:]
    loosen = draw(st.sampled_from([str, lambda name: name.removeprefix("."), lambda name: name.rpartition(".")[2]]))
    for each in served:
        for reference in references(each):
            setattr(reference.node, reference.attribute, loosened(reference.name, loosen))
        for _, message in all_messages(each):
            for field in message.field:
                if draw(st.booleans()):
                    field.ClearField("json_name")
    served += [copy(each) for each in served if draw(st.booleans())]
    return file, kind(*draw(st.permutations(served)), services=["t.Svc"])


def loosened(name, loosen):
    """Without its package, but for types whose names mean something only with it."""
    is_ours = name.count(".") == 2 and name.startswith(".t.")
    return loosen(name) if is_ours or loosen is str else name.removeprefix(".")


def one_file_each(draw, file):
    """Each definition in a file of its own, which imports all others: that is a circle."""
    made = []
    for found in definitions(file):
        part = FileDescriptorProto(name=f"{found.name}.proto", package=file.package, syntax=file.syntax)
        part.dependency[:] = file.dependency
        places = {"message": part.message_type, "enum": part.enum_type, "service": part.service}
        places.get(found.kind, part.extension).append(found.node)
        made.append(part)
    names = [part.name for part in made]
    for part in made:
        part.dependency.extend(name for name in names if name != part.name)
    return made


@settings(max_examples=100, deadline=None)
@given(servings())
def test_any_schema_comes_whole_from_any_server(serving):
    file, server = serving
    reflected = talk(server.answer)
    schema = schema_of(reflected)
    assert (reflected.problems, reflected.is_whole) == ((), True)
    expected = {found.name: found for found in definitions(file)}
    got = {found.name: found for each in files_of(reflected).values() for found in definitions(each)}
    assert {"t.M0", "t.M1", "t.M2", "t.Svc"} <= got.keys() <= expected.keys()
    for name, found in got.items():
        assert difference(expected[name], found) is None
    extensions = {f"t.{each.name}" for each in file.extension}
    for name, _ in all_messages(file):
        assert schema.message(name).full_name == name
    found = {each.full_name for name in ("t.M0", "t.M1", "t.M2") if schema.message(name).is_extendable
             for each in schema.pool.FindAllExtensions(schema.message(name))}  # fmt: skip
    assert found == extensions
    assert schema.method("t.Svc/List").input_type.full_name == "t.M1"


def copy(file):
    return FileDescriptorProto.FromString(file.SerializeToString())
