// A server of the sample service `vision.v1.PredictionService` on @grpc/grpc-js: a second implementation of gRPC.
//
//   node server.js SCHEMA ADDRESS [CA CERT KEY [mutual]]
//
// SCHEMA is a descriptor set, or a folder of .proto files (which find others in $PROTO_PATH).
// ADDRESS is 127.0.0.1:0 or unix:PATH. It says on which port it listens, and ends when its standard input does.
"use strict";
const fs = require("fs");
const grpc = require("@grpc/grpc-js");
const loader = require("@grpc/proto-loader");
const protobuf = require("protobufjs");
const { ReflectionService } = require("@grpc/reflection");

const [schema, address, ca, cert, key, mutual] = process.argv.slice(2);
const loaded = fs.statSync(schema).isDirectory()
  ? loader.loadSync(sources(), { longs: String, keepCase: true, includeDirs: [schema, process.env.PROTO_PATH] })
  : loader.loadFileDescriptorSetFromBuffer(fs.readFileSync(schema), { longs: String });
const { Status, BadRequest } = protobuf.parse(`
  syntax = "proto3";
  message Any { string type_url = 1; bytes value = 2; }
  message Status { int32 code = 1; string message = 2; repeated Any details = 3; }
  message BadRequest {
    message Violation { string field = 1; string description = 2; }
    repeated Violation field_violations = 1;
  }`, { keepCase: true }).root.nested;

function sources() {
  return fs.readdirSync(schema, { recursive: true }).filter((name) => name.endsWith(".proto"));
}

function failure() {
  const reason = BadRequest.encode({ field_violations: [{ field: "image", description: "empty" }] }).finish();
  const packed = { type_url: "type.googleapis.com/google.rpc.BadRequest", value: reason };
  const status = Status.encode({ code: 3, message: "no", details: [packed] }).finish();
  const metadata = new grpc.Metadata();
  metadata.set("grpc-status-details-bin", Buffer.from(status));
  return { code: grpc.status.INVALID_ARGUMENT, details: "the image is empty", metadata };
}

const handlers = {
  Predict(call, answer) {
    const { model, context } = call.request;
    if (model === "wait") return; // until the deadline
    if (model === "fail") {
      answer(failure());
      return;
    }
    const head = new grpc.Metadata();
    head.set("x-served-by", "node");
    call.sendMetadata(head);
    answer(null, { name: context ? context.request_id : "", model });
  },
  WatchVideo(call) {
    for (let number = 0; number < 5; number += 1) call.write({ progress: number / 4 });
    call.end();
  },
  UploadDataset(call, answer) {
    let stored = 0;
    call.on("data", () => { stored += 1; });
    call.on("end", () => answer(null, { stored }));
  },
  Converse(call) {
    let turn = 0;
    call.on("data", (request) => call.write({ turn: (turn += 1), text: request.text.toUpperCase() }));
    call.on("end", () => call.end());
  },
};

function credentials() {
  if (!ca) return grpc.ServerCredentials.createInsecure();
  const pair = { private_key: fs.readFileSync(key), cert_chain: fs.readFileSync(cert) };
  return grpc.ServerCredentials.createSsl(fs.readFileSync(ca), [pair], Boolean(mutual));
}

const server = new grpc.Server();
server.addService(loaded["vision.v1.PredictionService"], handlers);
new ReflectionService(loaded).addToServer(server);
server.bindAsync(address, credentials(), (error, port) => {
  if (error) throw error;
  console.log(port);
});
process.stdin.resume().on("end", () => process.exit(0));
