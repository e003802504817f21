"""Message types with every kind of field, and messages of them: what the targets of transcoding work on."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import corpus
from random_schemas import PoolResolver, compile_text

from inspector.transcode.encode import MessageEncoder
from inspector.transcode.resolver import Resolver

_SCALARS = (
    *("double", "float", "int32", "int64", "uint32", "uint64", "sint32", "sint64"),
    *("fixed32", "fixed64", "sfixed32", "sfixed64", "bool", "string", "bytes"),
)
_KEYS = ("int32", "sint64", "fixed32", "bool", "string", "uint64")
_WELL_KNOWN = (
    *("Any", "Duration", "Empty", "FieldMask", "Struct", "Value", "ListValue", "Timestamp"),
    *("BoolValue", "Int64Value", "FloatValue", "DoubleValue", "BytesValue", "StringValue", "UInt32Value"),
)


def _numbered(first: int, fields: list[str], options: str = "") -> str:
    return "\n".join(f"  {field} = {number} {options};" for number, field in enumerate(fields, start=first))


_FILES = ("any", "duration", "empty", "field_mask", "struct", "timestamp", "wrappers")
_IMPORTS = "\n".join(f'import "google/protobuf/{name}.proto";' for name in _FILES)

PROTO3 = f"""
syntax = "proto3";
package f3;
{_IMPORTS}
enum E {{ option allow_alias = true; ZERO = 0; ONE = 1; UNO = 1; LESS = -5; }}
message M {{
{_numbered(1, [f"{kind} a_{kind}" for kind in _SCALARS])}
  M child = 16;
  E e = 17;
  repeated E es = 18;
  repeated M children = 19;
  oneof choice {{ int32 c_int = 20; string c_text = 21; M c_message = 22; google.protobuf.NullValue c_null = 23; }}
{_numbered(30, [f"repeated {kind} r_{kind}" for kind in _SCALARS])}
{_numbered(50, [f"optional {kind} o_{kind}" for kind in _SCALARS])}
{_numbered(70, [f"map<{kind}, int64> m_{kind}" for kind in _KEYS])}
  map<string, M> named = 80;
  map<int32, E> flags = 81;
  map<string, google.protobuf.Value> values = 82;
{_numbered(100, [f"google.protobuf.{kind} w_{kind.lower()}" for kind in _WELL_KNOWN])}
{_numbered(120, [f"repeated google.protobuf.{kind} l_{kind.lower()}" for kind in _WELL_KNOWN])}
  int32 far = 536870911;
}}
"""

PROTO2 = f"""
syntax = "proto2";
package f2;
import "google/protobuf/timestamp.proto";
enum E {{ ZERO = 0; ONE = 1; TWO = 2; LESS = -5; }}
message M {{
{_numbered(1, [f"optional {kind} a_{kind}" for kind in _SCALARS])}
  optional M child = 16;
  optional E e = 17;
  repeated E es = 18 [packed = true];
  repeated group G = 19 {{ optional int32 x = 1; optional G again = 2; repeated string text = 3; }}
  optional string greeting = 20 [default = "a\\"b\\n"];
  map<string, E> closed = 21;
{_numbered(30, [f"repeated {kind} r_{kind}" for kind in _SCALARS])}
{_numbered(50, [f"repeated {kind} p_{kind}" for kind in _SCALARS[:-2]], "[packed = true]")}
  optional Needs needs = 70;
  extensions 100 to 200;
}}
message Needs {{ required int32 x = 1; }}
extend M {{
  optional int32 x_int = 100;
  repeated string x_texts = 101;
  optional M x_message = 102;
  repeated E x_es = 103 [packed = true];
  optional google.protobuf.Timestamp x_time = 104;
}}
"""


class Type(NamedTuple):
    resolver: Resolver
    name: str


def _compiled(text: str) -> PoolResolver:
    with tempfile.TemporaryDirectory() as folder:
        return compile_text(text, Path(folder))


_PROTO3, _PROTO2 = _compiled(PROTO3), _compiled(PROTO2)

TYPES = (
    Type(_PROTO3, "f3.M"),
    Type(_PROTO2, "f2.M"),
    *(
        Type(_PROTO3, f"google.protobuf.{name}")
        for name in ("Any", "Struct", "Value", "Duration", "Timestamp", "FieldMask")
    ),
    *(Type(corpus.schema(), shape.type_name) for shape in corpus.shapes()),
)

DOCUMENTS: tuple[tuple[int, str], ...] = (
    (0, '{"aDouble":1.5,"aFloat":-0.1,"aInt32":-1,"aInt64":"-9223372036854775808","aUint64":"18446744073709551615"}'),
    (0, '{"aDouble":"NaN","aFloat":"-Infinity","rDouble":[1e300,-0.0,5e-324,"Infinity"],"rFloat":[3.4028235e38,0.1]}'),
    (
        0,
        '{"aString":"\\u65e5\\ud83d\\ude00\\n\\"\\\\\\u0000\\u2028<>","aBytes":"//79AA==","rBytes":["","AQ=="],"aBool":true}',
    ),
    (0, '{"child":{"child":{"child":{"aSint32":-3}}},"children":[{},{"e":"ONE"},{"es":["LESS",77]}],"far":1}'),
    (
        0,
        '{"rInt32":[1,-2,300],"rSint64":["-1"],"rFixed32":[4294967295],"rSfixed64":["-1"],"rBool":[true,false],"rString":["a",""]}',
    ),
    (0, '{"oInt32":0,"oString":"","oBool":false,"oDouble":0,"cMessage":{"cInt":0},"named":{"a":{},"":{"cText":"x"}}}'),
    (
        0,
        '{"mInt32":{"-1":"5"},"mSint64":{"9":1},"mFixed32":{"0":0},"mBool":{"true":1,"false":2},"mString":{"k":3},"flags":{"1":"UNO"}}',
    ),
    (
        0,
        '{"values":{"a":null,"b":[1,"x",{"c":true}]},"wStruct":{"k":{"n":[null,1.25]}},"wListvalue":[[],{}],"wValue":null}',
    ),
    (
        0,
        '{"wDuration":"-1.000340012s","wTimestamp":"2026-11-23T09:03:11.123456789Z","wFieldmask":"a.b,fooBar","wEmpty":{}}',
    ),
    (
        0,
        '{"wBoolvalue":false,"wInt64value":"7","wFloatvalue":1.5,"wDoublevalue":"NaN","wBytesvalue":"AA==","wStringvalue":"s"}',
    ),
    (
        0,
        '{"wAny":{"@type":"type.googleapis.com/f3.M","aInt32":5,"wAny":{"@type":"x/google.protobuf.Duration","value":"3s"}}}',
    ),
    (
        0,
        '{"lTimestamp":["1970-01-01T00:00:00Z","9999-12-31T23:59:59.999Z"],"lDuration":["0s"],"lAny":[{}],"lUint32value":[0,1]}',
    ),
    (0, ' { "a_int32" : 1e2 , "aInt64" : 12 , "cNull" : null, "aString" : null,\r\n\t"rInt32": [ ] } '),
    (
        1,
        '{"aInt32":5,"e":"TWO","es":["ONE","LESS"],"g":[{"x":1,"again":{"text":["a"]}}],"greeting":"hi","closed":{"a":"ONE"}}',
    ),
    (
        1,
        '{"[f2.x_int]":7,"[f2.x_texts]":["a","b"],"[f2.x_message]":{"[f2.x_es]":["ONE"]},"[f2.x_time]":"2000-01-01T00:00:00Z"}',
    ),
    (
        1,
        '{"rInt32":[1,2],"pInt32":[1,2],"pDouble":[0.5],"pBool":[true],"rString":["x"],"needs":{"x":1},"pSfixed32":[-1]}',
    ),
    (2, '{"@type":"type.googleapis.com/google.protobuf.Struct","value":{"a":[1,{"b":null}]}}'),
    (3, '{"a":1,"b":{"c":[true,"x",null]},"a ":-1.5e-7}'),
    (4, '[[[[1]]],"two",{"three":3}]'),
    (5, '"315576000000.999999999s"'),
    (6, '"0001-01-02T00:00:00.5+01:30"'),
    (7, '"fooBar.baz,x"'),
)
"""The number of a type, and a document of it."""

LONGEST = 16_384
"""Bytes of a message that is worth it."""


def messages() -> Iterator[tuple[int, bytes]]:
    """The number of a type, and a message of it."""
    for kind, document in DOCUMENTS:
        yield kind, MessageEncoder(TYPES[kind].resolver).encode_json(TYPES[kind].name, document.encode())
    for kind, shape in enumerate(corpus.shapes(), start=len(TYPES) - len(corpus.shapes())):
        yield kind, min(shape.messages, key=len)[:LONGEST]
