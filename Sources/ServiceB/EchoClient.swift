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
    private let places: Places
    private let session: URLSession

    // URLSession's calls block while its one queue is busy, in a name look-up for instance.
    // Neither libmicrohttpd's thread nor a deadline may wait for that.
    private let launching = DispatchQueue(label: "launching")
    private let cancelling = DispatchQueue(label: "cancelling")
    private let deadlines: Deadlines

    /// Has libcurl, which is beneath `URLSession`, go to no proxy that the environment names.
    ///
    /// Before any other thread can read the environment.
    static func ignoreProxies() {
        for name in ["http_proxy", "all_proxy", "ALL_PROXY"] {
            unsafe unsetenv(name)
        }
    }

    /// Makes a client that gives each call `timeout` in all, and has `maxCalls` at once at most.
    init(timeout: Duration, maxCalls: Int) {
        self.timeout = timeout
        places = Places(limit: maxCalls)
        deadlines = Deadlines(timeout: timeout, maxCalls: maxCalls)
        let configuration = URLSessionConfiguration.ephemeral
        configuration.httpAdditionalHeaders = ["Accept-Encoding": "identity"]
        configuration.httpCookieAcceptPolicy = .never
        configuration.httpCookieStorage = nil
        configuration.httpMaximumConnectionsPerHost = maxCalls
        configuration.httpShouldSetCookies = false
        configuration.urlCache = nil
        configuration.urlCredentialStorage = nil
        // A backstop. It takes whole seconds, and starts anew with every line of an answer.
        configuration.timeoutIntervalForRequest = (timeout / .seconds(1)).rounded(.up) + 2
        #if canImport(CFoundationNetworkingFixes)
            // A little later than the call's own deadline and the cancelling that follows it: for an
            // answer that keeps URLSession too busy to cancel anything.
            cfnf_set_timeout(Int(((timeout + .milliseconds(100)) / .milliseconds(1)).rounded(.up)))
        #endif
        session = URLSession(configuration: configuration, delegate: nil, delegateQueue: InPlace())
    }

    /// The calls that are not over yet, for `URLSession` that is.
    var callsInFlight: Int { places.taken }

    /// Has Service A echo `message` at `url`, as a part of what `request` asks for.
    ///
    /// - Throws: ``CallFailure``, when the deadline passes at the latest.
    func echo(_ message: String, at url: URL, for request: Request) async throws(CallFailure) {
        guard places.enter() else { throw .overloaded }
        let span = startSpan("GET", ofKind: .client)
        defer { span.end() }
        let call = Self.request(url, for: request, context: span.context)
        let outcome = await withCheckedContinuation { continuation in
            start(call, message, Call(continuation, cancelling: cancelling))
        }
        if case .failure = outcome { span.setStatus(SpanStatus(code: .error)) }
        try outcome.get()
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

    private func start(_ request: URLRequest, _ message: String, _ call: Call) {
        deadlines.add(call)
        launching.async { [self] in
            guard !call.hasEnded else {
                places.leave()
                return
            }
            let task = session.dataTask(with: request) { [self] data, response, error in
                // Only now is URLSession done with a call that may have been answered long ago.
                places.leave()
                call.end(outcome(of: message, data, response, error))
            }
            call.launch(task)
        }
    }

    private func outcome(
        of message: String, _ data: Data?, _ response: URLResponse?, _ error: (any Error)?
    ) -> Call.Outcome {
        if let error { return .failure(CallFailure(error, timeout: timeout)) }
        guard let response = response as? HTTPURLResponse, let data else {
            return .failure(.badAnswer)
        }
        guard response.statusCode == 200 else { return .failure(.badStatus(response.statusCode)) }
        let usual = JSON.object([("echo", .string(message))]).line
        if data.elementsEqual(usual) { return .success(()) }
        struct Echo: Decodable {
            let echo: String
        }
        guard data.count <= message.utf8.count + 65_536,
            let answer = try? JSONDecoder().decode(Echo.self, from: data),
            answer.echo.utf8.elementsEqual(message.utf8)
        else { return .failure(.badAnswer) }
        return .success(())
    }
}

/// Runs operations where they are added.
///
/// `URLSession` has those for its delegate run on the queue that it itself works on, which
/// is serial. Nothing of ours there calls `URLSession` or waits.
private final class InPlace: OperationQueue, @unchecked Sendable {
    // @unchecked: the superclass is, and this has nothing of its own.
    override func addOperation(_ block: @escaping @Sendable () -> Void) { block() }
}

private struct FieldInjector: Injector {
    func inject(_ value: String, forKey name: String, into request: inout URLRequest) {
        request.setValue(value, forHTTPHeaderField: name)
    }
}

extension CallFailure {
    /// What an error of `URLSession` means.
    fileprivate init(_ error: any Error, timeout: Duration) {
        // URLSession has one code for most of libcurl's, and then only the text is left.
        let text = error.localizedDescription
        switch (error as? URLError)?.code {
        case .cannotConnectToHost: self = .refused
        case .cannotFindHost: self = Descriptors.areLeft ? .dns : .overloaded
        case .timedOut: self = .timeout(timeout)
        case .networkConnectionLost, .badServerResponse: self = .reset
        case .unknown where text.hasPrefix("Failed to connect"):
            self = Descriptors.areLeft ? .unreachable : .overloaded
        case .unknown where Self.endings.contains(where: text.hasPrefix): self = .reset
        default: self = .badAnswer
        }
    }

    /// How libcurl's texts begin for a connection that has ended too early.
    private static let endings = [
        "transfer closed", "Recv failure", "Send failure", "Connection died",
    ]
}

/// One call: what ends it first decides its outcome.
final class Call: NSObject, URLSessionTaskDelegate, Sendable {
    /// Service A's answer was right, or why there is none.
    typealias Outcome = Result<Void, CallFailure>

    private struct State {
        var continuation: CheckedContinuation<Outcome, Never>?
        var task: URLSessionTask?
    }

    private let state: Mutex<State>
    private let cancelling: DispatchQueue

    /// Makes a call that resumes `continuation` when it ends, and cancels its task on `cancelling`.
    init(_ continuation: CheckedContinuation<Outcome, Never>, cancelling: DispatchQueue) {
        state = Mutex(State(continuation: continuation))
        self.cancelling = cancelling
    }

    /// Whether the outcome is known.
    var hasEnded: Bool { state.withLock { $0.continuation == nil } }

    /// Starts `task` as this call's.
    func launch(_ task: URLSessionTask) {
        task.delegate = self
        task.resume()
        let isLate = state.withLock { state in
            state.task = task
            return state.continuation == nil
        }
        if isLate { cancel(task) }
    }

    /// Ends the call with `outcome` if nothing else has, when its task is done.
    func end(_ outcome: Outcome) {
        _ = decide(outcome)
    }

    /// Ends the call with `outcome` if nothing else has, while its task may go on.
    func abandon(_ outcome: Outcome) {
        if let task = decide(outcome) { cancel(task) }
    }

    /// Gives the call its outcome, once.
    ///
    /// - Returns: its task, if there is one and this is the first outcome.
    private func decide(_ outcome: Outcome) -> URLSessionTask? {
        let ended = state.withLock { exchange(&$0, with: State()) }
        ended.continuation?.resume(returning: outcome)
        return ended.task
    }

    private func cancel(_ task: URLSessionTask) {
        // A moment later: where a thousand deadlines pass at once, the answers come first.
        cancelling.asyncAfter(deadline: .now() + .milliseconds(50)) { task.cancel() }
    }

    func urlSession(
        _ session: URLSession, task: URLSessionTask,
        willPerformHTTPRedirection response: HTTPURLResponse, newRequest request: URLRequest,
        completionHandler: @escaping @Sendable (URLRequest?) -> Void
    ) {
        // Never followed. To call the handler while the task is being cancelled is fatal.
        abandon(.failure(.badStatus(response.statusCode)))
    }

    func urlSession(
        _ session: URLSession, task: URLSessionTask,
        didReceive challenge: URLAuthenticationChallenge,
        completionHandler:
            @escaping @Sendable (URLSession.AuthChallengeDisposition, URLCredential?) -> Void
    ) {
        // Left alone, such a task would never complete (swift-corelibs-foundation #5457).
        abandon(.failure(.badStatus(401)))
    }
}
