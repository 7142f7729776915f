import Dispatch
import Foundation
import FoundationNetworking
import HTTPTypes
import MicroHTTPD
import Synchronization
import Tracing

/// The client of Service A, over `URLSession`.
///
/// A call holds no thread while it waits, unless for an address. Its deadline is a timer of our own
/// that does not depend on `URLSession` ever answering.
final class EchoClient: Sendable {
    let timeout: Duration
    let limit: CallLimit
    private let deadlines: Deadlines
    private let hedging: (after: Deadlines, limit: HedgeLimit)?
    let session: URLSession
    let queue: DispatchQueue

    /// Makes a client whose calls take `timeout` in all, `maxCalls` of them at once.
    ///
    /// Call it before any other thread can read the environment.
    ///
    /// - Parameter hedgeAfter: when to make a call a second time, which counts as another of
    ///   `maxCalls`.
    init(timeout: Duration, maxCalls: Int, hedgeAfter: Duration? = nil) {
        Self.ignoreProxies()
        self.timeout = timeout
        limit = CallLimit(maxCalls)
        deadlines = Deadlines(timeout: timeout, maxCalls: maxCalls)
        hedging = hedgeAfter.map { (Deadlines(timeout: $0, maxCalls: maxCalls), HedgeLimit()) }
        session = Self.session(timeout: timeout, maxCalls: maxCalls)
        queue = Self.callQueue()
    }

    /// Asks Service A to echo `message` at `url`, on behalf of `request`.
    ///
    /// - Returns: how the call ended, at the deadline at the latest, even if its task is cancelled.
    func echo(_ message: String, at url: URL, for request: Request) async -> Call.Outcome {
        guard limit.enter() else {
            return Call.Outcome(failure: .overloaded, attempts: 0, isFromSecond: false)
        }
        let span = startSpan("GET", ofKind: .client)
        defer { span.end() }
        let upstream = Self.request(url, for: request, context: span.context)
        let outcome = await withCheckedContinuation { continuation in
            let call = Call(upstream, of: message, by: self, continuation)
            deadlines.add(call) { [timeout] call in call.end(.timeout(timeout)) }
            if let hedging {
                hedging.limit.callBegan()
                hedging.after.add(call) { [self] call in
                    // A second attempt, if there is no answer yet and the limits allow it.
                    guard !call.hasEnded, limit.enter() else { return }
                    guard hedging.limit.enter(), call.addAttempt() else { return limit.leave() }
                    call.start(attempt: 2)
                }
            }
            call.start(attempt: 1)
        }
        if outcome.failure != nil { span.setStatus(SpanStatus(code: .error)) }
        if outcome.isFromSecond { hedging?.limit.hedgeWon() }
        return outcome
    }

    private static func request(
        _ url: URL, for request: Request, context: ServiceContext
    ) -> URLRequest {
        var fields = [
            HTTPField.Name.xRequestID.rawName: request.id,
            HTTPField.Name.traceparent.rawName: request.traceContext.traceparent,
        ]
        if !request.traceContext.tracestate.isEmpty {
            fields[HTTPField.Name.tracestate.rawName] = request.traceContext.tracestate
        }
        // A tracer, if there is one, replaces the request's span with the one above.
        InstrumentationSystem.instrument.inject(context, into: &fields, using: DictionaryInjector())
        var call = URLRequest(url: url)
        call.allHTTPHeaderFields = fields
        return call
    }
}

private struct DictionaryInjector: Injector {
    func inject(_ value: String, forKey name: String, into fields: inout [String: String]) {
        fields[name] = value
    }
}
