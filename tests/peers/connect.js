// A server of the sample service `vision.v1.PredictionService` on @connectrpc/connect-node: Connect, gRPC and gRPC-Web.
//
//   node connect.js SCHEMA ADDRESS PREFIX [CERT KEY]
//
// SCHEMA is a descriptor set, ADDRESS the host of two ports (HTTP/1.1 and h2c; with TLS one, which offers both), PREFIX a
// path before those of the methods, or empty. It prints the ports, and ends when its standard input does.
"use strict";
const fs = require("fs");
const http = require("http");
const http2 = require("http2");
const { createFileRegistry, fromBinary } = require("@bufbuild/protobuf");
const { FileDescriptorSetSchema } = require("@bufbuild/protobuf/wkt");
const { Code, ConnectError } = require("@connectrpc/connect");
const { connectNodeAdapter, compressionGzip } = require("@connectrpc/connect-node");

const [schema, host, prefix, cert, key] = process.argv.slice(2);
const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, fs.readFileSync(schema)));
const service = registry.getService("vision.v1.PredictionService");
const detail = Buffer.from("0a0e0a05696d6167651205656d707479", "hex"); // BadRequest: image, empty

function refusal() {
  const error = new ConnectError("the image is empty", Code.InvalidArgument, { "x-why": "because" });
  error.details.push({ type: "google.rpc.BadRequest", value: detail });
  error.metadata.set("x-raw-bin", "AAH/");
  return error;
}

function waiting(context) {
  return new Promise((_, fail) => context.signal.addEventListener("abort", () => fail(context.signal.reason)));
}

const implementation = {
  async predict(request, context) {
    if (request.model === "wait") await waiting(context);
    if (request.model === "fail") throw refusal();
    context.responseHeader.set("x-served-by", "connect");
    context.responseTrailer.set("x-cost", "7");
    context.responseTrailer.set("x-raw-bin", "AAH/");
    const seen = ["x-tag", "x-data-bin", "connect-timeout-ms", "grpc-timeout", "content-encoding", "grpc-encoding"];
    context.responseHeader.set("x-seen", seen.map((name) => context.requestHeader.get(name) || "").join("|"));
    return { name: request.context?.requestId, model: request.model };
  },
  async *watchVideo(request, context) {
    context.responseHeader.set("x-served-by", "connect");
    context.responseTrailer.set("x-cost", "7");
    for (let number = 0; number < 5; number += 1) yield { progress: number / 4 };
    if (request.model === "fail") throw refusal();
    if (request.model === "wait") await waiting(context);
  },
  async uploadDataset(requests) {
    let stored = 0n;
    for await (const _ of requests) stored += 1n;
    return { stored };
  },
  async *converse(requests) {
    let turn = 0;
    for await (const request of requests) {
      yield { turn: (turn += 1), part: { case: "text", value: request.turn.value.toUpperCase() } };
    }
  },
};

const handler = connectNodeAdapter({
  routes: (router) => router.service(service, implementation),
  requestPathPrefix: prefix,
  acceptCompression: [compressionGzip],
  compressMinBytes: 200,
});

async function listen(server) {
  await new Promise((done) => server.listen(0, host, done));
  return server.address().port;
}

async function main() {
  const servers = cert
    ? [http2.createSecureServer({ allowHTTP1: true, cert: fs.readFileSync(cert), key: fs.readFileSync(key) }, handler)]
    : [http.createServer(handler), http2.createServer(handler)];
  console.log((await Promise.all(servers.map(listen))).join(" "));
}

main();
process.stdin.resume().on("end", () => process.exit(0));
