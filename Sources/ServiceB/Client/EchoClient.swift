import Dispatch
import Foundation
import FoundationNetworking
import HTTPTypes
import MicroHTTPD
import Synchronization
import Tracing

#if canImport(CFoundationNetworkingFixes)
    import CFoundationNetworkingFixes
#endif

/// The client of Service A, over `URLSession`.
///
/// A call holds no thread while it waits. Its deadline is a timer of our own that does not depend
/// on `URLSession` ever answering.
final class EchoClient: Sendable {
    private let timeout: Duration
    private let limit: CallLimit
    private let deadlines: Deadlines
    private let hedging: (after: Deadlines, limit: HedgeLimit)?
    private let session: URLSession
    private let starting = DispatchQueue(label: "starting")
    // `cancel` blocks while URLSession is busy, and no deadline may wait for that.
    private let cancelling = DispatchQueue(label: "cancelling")
    private let waiting = Mutex<[(call: Call, attempt: Int)]>([])

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
        // So that CFoundationNetworkingFixes sees whether Swift's calls of dispatch_sync reach it.
        starting.sync {}
        session = Self.session(timeout: timeout, maxCalls: maxCalls)
    }

    /// The calls that `URLSession` has not finished.
    var callsInFlight: Int { limit.callsInFlight }

    /// Asks Service A to echo `message` at `url`, on behalf of `request`.
    ///
    /// - Returns: how the call ended, at the deadline at the latest.
    func echo(_ message: String, at url: URL, for request: Request) async -> Call.Outcome {
        guard limit.enter() else {
            return Call.Outcome(failure: .overloaded, attempts: 0, isFromSecond: false)
        }
        let span = startSpan("GET", ofKind: .client)
        defer { span.end() }
        let upstream = Self.request(url, for: request, context: span.context)
        let outcome = await withCheckedContinuation { continuation in
            let call = Call(upstream, of: message, continuation, cancelling: cancelling)
            deadlines.add(call) { [timeout] call in call.end(.timeout(timeout)) }
            if let hedging {
                hedging.limit.callBegan()
                hedging.after.add(call) { [self] call in
                    // A second attempt, if there is no answer yet and the limits allow it.
                    guard !call.hasEnded, limit.enter() else { return }
                    guard hedging.limit.enter(), call.addAttempt() else { return limit.leave() }
                    start(call, attempt: 2)
                }
            }
            start(call, attempt: 1)
        }
        if outcome.failure != nil { span.setStatus(SpanStatus(code: .error)) }
        if outcome.isFromSecond { hedging?.limit.hedgeWon() }
        return outcome
    }

    private static func request(
        _ url: URL, for request: Request, context: ServiceContext
    ) -> URLRequest {
        var call = URLRequest(url: url)
        for (name, value) in [
            (HTTPField.Name.xRequestID, request.id),
            (.traceparent, request.traceContext.traceparent),
            (.tracestate, request.traceContext.tracestate),
        ] where !value.isEmpty {
            call.setValue(value, forHTTPHeaderField: name.rawName)
        }
        // A tracer, if there is one, replaces the request's span with the one above.
        InstrumentationSystem.instrument.inject(context, into: &call, using: FieldInjector())
        return call
    }

    /// Starts an attempt of an admitted call, together with others that wait.
    ///
    /// `URLSession` works on one queue of its own, and `dataTask` and `resume` wait for it, so that
    /// neither libmicrohttpd's thread nor a deadline may call them. With CFoundationNetworkingFixes
    /// calls are started on that queue itself, where nothing has to wait; or else on one of ours.
    private func start(_ call: Call, attempt: Int) {
        let isFirst = waiting.withLock { waiting in
            waiting.append((call, attempt))
            return waiting.count == 1
        }
        guard isFirst else { return }
        #if canImport(CFoundationNetworkingFixes)
            if cfnf_async({ self.startWaiting() }) { return }
        #endif
        starting.async { self.startWaiting() }
    }

    /// Starts all calls that wait.
    private func startWaiting() {
        for (call, attempt) in waiting.withLock({ exchange(&$0, with: []) }) {
            guard !call.hasEnded else {
                limit.leave()
                continue
            }
            let task = session.dataTask(with: call.request) { [self] data, response, error in
                // Only now is URLSession done with a call that may have been answered long ago.
                limit.leave()
                let failure = CallFailure(call.message, data, response, error, timeout: timeout)
                call.endAttempt(attempt, failure)
            }
            call.launch(task)
        }
    }
}

private struct FieldInjector: Injector {
    func inject(_ value: String, forKey name: String, into request: inout URLRequest) {
        request.setValue(value, forHTTPHeaderField: name)
    }
}
