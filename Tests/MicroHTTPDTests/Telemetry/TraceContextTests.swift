import HTTPTypes
import InMemoryTracing
import TestSupport
import Testing
import Tracing

@testable import MicroHTTPD

@Suite struct TraceContextTests {
    private static let trace = "0af7651916cd43dd8448eb211c80319c"
    private static let valid = "00-\(trace)-b7ad6b7169203331-01"

    private func parse(_ traceparent: String..., tracestate: String = "") -> TraceContext? {
        let lines = traceparent.map { "traceparent:\($0)" } + ["tracestate:\(tracestate)"]
        return TraceContext(HeaderSection(lines: lines))
    }

    @Test(arguments: [
        valid, "00-\(trace)-b7ad6b7169203331-00", "cc-\(trace)-b7ad6b7169203331-01",
        "cc-\(trace)-b7ad6b7169203331-01-what-comes-later",
    ])
    func `A valid traceparent is continued with a new parent id`(traceparent: String) throws {
        let context = try #require(parse(traceparent))
        let child = context.child()
        #expect(context.traceID == Self.trace && child.traceID == Self.trace)
        #expect(context.traceparent.dropFirst(2) == traceparent.prefix(55).dropFirst(2))
        #expect(child.traceparent.prefix(36) == context.traceparent.prefix(36))
        #expect(child.traceparent.suffix(3) == context.traceparent.suffix(3))
        #expect(child.traceparent != context.traceparent)
        #expect(parse(child.traceparent)?.traceparent == child.traceparent)
    }

    @Test(arguments: [
        "", "00", "\(valid)-x", valid.uppercased(), String(valid.dropLast()),
        "ff-\(trace)-b7ad6b7169203331-01", "0x-\(trace)-b7ad6b7169203331-01",
        "00-00000000000000000000000000000000-b7ad6b7169203331-01",
        "00-\(trace)-0000000000000000-01", "00_\(trace)-b7ad6b7169203331-01",
        "00-\(trace)_b7ad6b7169203331-01", "00-\(trace)-b7ad6b7169203331_01",
        "00-\(trace)-b7ad6b7169203331-0g", "cc-\(trace)-b7ad6b7169203331-01x",
        "00-\(trace.dropLast())é-b7ad6b7169203331-1",
    ])
    func `A traceparent that is not valid is ignored`(traceparent: String) {
        #expect(parse(traceparent) == nil)
    }

    @Test func `Of two traceparents neither is taken`() {
        #expect(parse(Self.valid, Self.valid) == nil)
    }

    @Test(arguments: [
        "congo=t61rcWkgMzE", "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE", "a=1, ,b=2,\t,c=3",
        "1tenant@system=x", "a_-*/0=!+-*/:;<>?@[]^_`{|}~ x", "a=1,A=2,what comes later",
        String(repeating: "v", count: 4096),
    ])
    func `A tracestate is continued as it is`(tracestate: String) {
        #expect(parse(Self.valid, tracestate: tracestate)?.tracestate == tracestate)
    }

    @Test(arguments: ["a=é", String(repeating: "v", count: 4097)])
    func `A tracestate that is not ASCII or too long is dropped and the trace is continued`(
        tracestate: String
    ) {
        let context = parse(Self.valid, tracestate: tracestate)
        #expect(context?.traceID == Self.trace)
        #expect(context?.tracestate == "")
    }

    @Test func `Ten thousand traces begun here have ten thousand ids`() {
        let ids = Set((0..<10_000).map { _ in TraceContext.begin().traceID })
        #expect(ids.count == 10_000)
    }

    @Test func `A tracer has a span for each exchange, and the handler's spans are its children`()
        async throws
    {
        let tracer = InMemoryTracer()
        var router = Router { _ in Response() }
        router.get("/traced") { _ in
            tracer.withSpan("inner") { _ in Response(status: .serviceUnavailable) }
        }
        try await serving(router, tracer: tracer) { (port, _) throws in
            let fields = ["in-memory-trace-id: trace-1", "in-memory-span-id: span-1"]
            #expect(try get("/traced", port: port, fields: fields).status == 503)
            #expect(eventually { tracer.finishedSpans.count == 2 })
            let inner = try #require(tracer.finishedSpans.first { $0.operationName == "inner" })
            let outer = try #require(tracer.finishedSpans.first { $0.operationName != "inner" })
            #expect(outer.operationName == "GET /traced" && outer.kind == .server)
            #expect(outer.traceID == "trace-1" && outer.parentSpanID == "span-1")
            #expect(inner.traceID == "trace-1" && inner.parentSpanID == outer.spanID)
            #expect(outer.attributes.get("http.response.status_code") == .int64(503))
            #expect(outer.status?.code == .error)
        }
    }
}
