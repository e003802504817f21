"""Live gRPC: what connects to a server, calls it, records and replays."""
