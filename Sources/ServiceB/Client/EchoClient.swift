import Dispatch
import Foundation
import FoundationNetworking
import MicroHTTPD
import Tracing

/// The client of Service A, over `URLSession`.
///
/// A call holds no thread while it waits, unless for an address. Its deadline is a timer of our own
/// that does not depend on `URLSession` ever answering.
final class EchoClient: Sendable {
    let timeout: Duration
    let limit: CallLimit
    private let deadlines: Deadlines
    let hedging: (after: Deadlines, limit: HedgeLimit)?
    let session: URLSession
    let queue: DispatchQueue

    /// Makes a client whose calls take `timeout` in all, `maxCalls` of them at once.
    ///
    /// Call it before any other thread can read the environment.
    ///
    /// - Parameter hedgeAfter: when to make a call a second time, which counts as another of
    ///   `maxCalls`.
    init(timeout: Duration, maxCalls: Int, hedgeAfter: Duration?) {
        // libcurl, beneath URLSession, would use them.
        for name in ["http_proxy", "all_proxy", "ALL_PROXY"] {
            unsafe unsetenv(name)
        }
        self.timeout = timeout
        limit = CallLimit(limit: maxCalls)
        deadlines = Deadlines(after: timeout, maxCalls: maxCalls) { $0.end(.timeout(timeout)) }
        hedging = hedgeAfter.map { time in
            (Deadlines(after: time, maxCalls: maxCalls) { $0.hedge() }, HedgeLimit())
        }
        session = Self.session(timeout: timeout, maxCalls: maxCalls)
        queue = Self.callQueue()
    }

    /// Asks Service A to echo `message` at `url`, on behalf of `request`.
    ///
    /// - Returns: how the call ended, at the deadline at the latest, even if its task is cancelled.
    func echo(_ message: String, at url: URL, for request: Request) async -> Call.Outcome {
        guard limit.acquire() else { return Call.Outcome(failure: .overloaded, attempts: 0) }
        let span = startSpan("GET", ofKind: .client)
        defer { span.end() }
        let trace = request.traceContext
        var fields = ["X-Request-Id": request.id, "traceparent": trace.traceparent]
        if !trace.tracestate.isEmpty { fields["tracestate"] = trace.tracestate }
        // A tracer, if there is one, replaces the request's span with the one above.
        InstrumentationSystem.instrument.inject(
            span.context, into: &fields, using: DictionaryInjector())
        var upstream = URLRequest(url: url)
        upstream.allHTTPHeaderFields = fields
        let outcome = await withCheckedContinuation { [upstream] continuation in
            let call = Call(upstream, of: message, by: self, continuation)
            deadlines.add(call)
            if let hedging {
                hedging.limit.callBegan()
                hedging.after.add(call)
            }
            queue.async { call.start(attempt: 1) }
        }
        if outcome.failure != nil { span.setStatus(SpanStatus(code: .error)) }
        return outcome
    }
}

private struct DictionaryInjector: Injector {
    func inject(_ value: String, forKey name: String, into fields: inout [String: String]) {
        fields[name] = value
    }
}
