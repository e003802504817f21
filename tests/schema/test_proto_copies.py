"""Folders in which the same file stands more than once."""

from __future__ import annotations

import pytest

from inspector.errors import SchemaError
from inspector.schema import Schema

HEAD = 'syntax = "proto3";\n'
COMMON = HEAD + "package shop; message Item { string name = 1; }"


def of_shop(*, imports: str, message: str) -> str:
    return HEAD + f'import "{imports}"; package shop; message {message} {{ Item item = 1; }}'


def names(folder) -> list[str]:
    schema = Schema.from_source(str(folder))
    return [name for name in schema.messages() if name.startswith("shop.")]


def test_a_copy_beside_it(write, tmp_path):
    write("item.proto", COMMON)
    write("item (copy).proto", COMMON)
    write("old/item.proto", COMMON)
    assert names(tmp_path) == ["shop.Item"]


def test_each_service_with_what_they_share_under_the_same_name(write, tmp_path):
    for service in ("Cart", "Order", "Stock"):
        write(f"{service}/protos/common/item.proto", COMMON)
        write(f"{service}/protos/{service}.proto", of_shop(imports="common/item.proto", message=service))
    assert names(tmp_path) == ["shop.Cart", "shop.Item", "shop.Order", "shop.Stock"]


@pytest.mark.parametrize("imported", ["a/item.proto", "b/item.proto"])
def test_the_one_that_is_imported_is_taken(write, tmp_path, imported):
    write("a/item.proto", COMMON)
    write("b/item.proto", COMMON)
    write("c/cart.proto", of_shop(imports=imported, message="Cart"))
    schema = Schema.from_source(str(tmp_path))
    assert imported in schema.files()
    assert schema.message("shop.Cart").fields_by_name["item"].message_type.full_name == "shop.Item"


def test_two_that_differ_are_told_with_what_to_do(write, tmp_path):
    write("a/item.proto", COMMON)
    write("b/item.proto", COMMON.replace("name", "title"))
    with pytest.raises(SchemaError, match=r"already defined in file.*give the folder, or the file"):
        names(tmp_path)


def test_two_that_are_imported_by_different_names_are_told(write, tmp_path):
    write("a/item.proto", COMMON)
    write("b/item.proto", COMMON)
    write("c/cart.proto", of_shop(imports="a/item.proto", message="Cart"))
    write("c/order.proto", of_shop(imports="b/item.proto", message="Order"))
    with pytest.raises(SchemaError, match=r"already defined in file.*give the folder, or the file"):
        names(tmp_path)
