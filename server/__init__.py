"""The gRPC shell around the engine: map, call, map. The only place that knows the wire, the clock and the disk."""
