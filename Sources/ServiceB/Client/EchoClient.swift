import Dispatch
import Foundation
import FoundationNetworking
import HTTPTypes
import MicroHTTPD
import ServiceKit
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
    private let hedging: (after: Deadlines, limit: Hedges)?
    private let session: URLSession
    private let starting = StartQueue()
    // `cancel` blocks while URLSession is busy, and no deadline may wait for that.
    private let cancelling = DispatchQueue(label: "cancelling")
    private let waiting = Mutex<[(call: Call, attempt: Int)]>([])

    /// Makes libcurl, which is beneath `URLSession`, ignore the proxies that the environment names.
    ///
    /// Call it before any other thread can read the environment.
    static func ignoreProxies() {
        for name in ["http_proxy", "all_proxy", "ALL_PROXY"] {
            unsafe unsetenv(name)
        }
    }

    /// Makes a client whose calls take `timeout` in all, and of which `maxCalls` run at once.
    ///
    /// - Parameter hedgeAfter: when to make a call a second time, which counts as another of
    ///   `maxCalls`.
    init(timeout: Duration, maxCalls: Int, hedgeAfter: Duration? = nil) {
        self.timeout = timeout
        limit = CallLimit(maxCalls)
        deadlines = Deadlines(timeout: timeout, maxCalls: maxCalls)
        hedging = hedgeAfter.map { (Deadlines(timeout: $0, maxCalls: maxCalls), Hedges()) }
        session = Self.session(timeout: timeout, maxCalls: maxCalls)
    }

    /// Makes a session that ends a call by itself some time after `timeout`.
    ///
    /// This is the backstop beneath the call's own deadline: 100 ms later where libcurl keeps it,
    /// which is how CFoundationNetworkingFixes has it; or else 2 to 3 seconds later, and anew with
    /// each line of an answer.
    static func session(timeout: Duration, maxCalls: Int) -> URLSession {
        let configuration = URLSessionConfiguration.ephemeral
        // Without a language of ours, URLSession asks for that of the process with each call.
        configuration.httpAdditionalHeaders = [
            "Accept-Encoding": "identity", "Accept-Language": "*",
        ]
        configuration.httpCookieAcceptPolicy = .never
        configuration.httpCookieStorage = nil
        configuration.httpMaximumConnectionsPerHost = maxCalls
        configuration.httpShouldSetCookies = false
        configuration.urlCache = nil
        configuration.urlCredentialStorage = nil
        // In whole seconds.
        configuration.timeoutIntervalForRequest = (timeout / .seconds(1)).rounded(.up) + 2
        #if canImport(CFoundationNetworkingFixes)
            cfnf_set_timeout(Int(((timeout + .milliseconds(100)) / .milliseconds(1)).rounded(.up)))
        #endif
        return URLSession(configuration: configuration, delegate: nil, delegateQueue: InPlace())
    }

    /// The calls that are not over yet for `URLSession`.
    var callsInFlight: Int { limit.callsInFlight }

    /// Asks Service A to echo `message` at `url`, as a part of what `request` asks for.
    ///
    /// - Returns: how the call ended, when the deadline passes at the latest.
    func echo(_ message: String, at url: URL, for request: Request) async -> Call.Outcome {
        guard limit.enter() else {
            return Call.Outcome(failure: .overloaded, attempts: 0, isFromSecond: false)
        }
        let span = startSpan("GET", ofKind: .client)
        defer { span.end() }
        let upstream = Self.request(url, for: request, context: span.context)
        let outcome = await withCheckedContinuation { continuation in
            start(Call(upstream, of: message, continuation, cancelling: cancelling))
        }
        if outcome.failure != nil { span.setStatus(SpanStatus(code: .error)) }
        if outcome.isFromSecond { hedging?.limit.hedgeWon() }
        return outcome
    }

    private static func request(
        _ url: URL, for request: Request, context: ServiceContext
    ) -> URLRequest {
        var call = URLRequest(url: url)
        func set(_ name: HTTPField.Name, _ value: String) {
            call.setValue(value, forHTTPHeaderField: name.rawName)
        }
        set(.xRequestID, request.id)
        set(.traceparent, request.traceContext.traceparent)
        if !request.traceContext.tracestate.isEmpty {
            set(.tracestate, request.traceContext.tracestate)
        }
        // A tracer, where there is one, puts the span above in the place of the request's.
        InstrumentationSystem.instrument.inject(context, into: &call, using: FieldInjector())
        return call
    }

    private func start(_ call: Call) {
        deadlines.add(call) { [timeout] call in call.abandon(.timeout(timeout)) }
        if let hedging {
            hedging.limit.callBegan()
            hedging.after.add(call) { [self] call in hedge(call, hedging.limit) }
        }
        start(call, attempt: 1)
    }

    /// Makes a call a second time that has no answer yet, if the limits allow it.
    private func hedge(_ call: Call, _ hedges: Hedges) {
        guard !call.hasEnded, limit.enter() else { return }
        guard hedges.enter(), call.addAttempt() else { return limit.leave() }
        start(call, attempt: 2)
    }

    private func start(_ call: Call, attempt: Int) {
        let isFirst = waiting.withLock { waiting in
            waiting.append((call, attempt))
            return waiting.count == 1
        }
        if isFirst { starting.async { self.startWaiting() } }
    }

    /// Starts all calls that wait by now.
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
                call.end(failure, attempt: attempt)
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
