import Dispatch
import Foundation
import FoundationNetworking
import Logging

#if canImport(CFoundationNetworkingFixes)
    import CFoundationNetworkingFixes
#endif

extension EchoClient {
    /// Makes a session that ends a call by itself some time after `timeout`.
    ///
    /// This is a backstop for the call's own deadline: 100 ms later if libcurl measures it, as with
    /// CFoundationNetworkingFixes; or else 2 to 3 seconds later, restarting with each line of an
    /// answer.
    static func session(timeout: Duration, maxCalls: Int) -> URLSession {
        let configuration = URLSessionConfiguration.ephemeral
        // Without a language here, URLSession looks up that of the process for each call.
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
            cfnf_set_timeout(Int((timeout / .milliseconds(1)).rounded(.up)))
        #endif
        // Shows CFoundationNetworkingFixes that Swift's calls of libdispatch reach it.
        DispatchQueue.global().async {}
        DispatchQueue.global().sync {}
        return URLSession(configuration: configuration, delegate: nil, delegateQueue: InPlace())
    }

    /// The queue on which `URLSession`'s functions are called for the session that this thread has
    /// made last.
    ///
    /// `URLSession` works on one queue of its own, and `dataTask`, `resume` and `cancel` wait for it,
    /// so that neither libmicrohttpd's thread nor a deadline may call them. With
    /// CFoundationNetworkingFixes, which knows this one by its label, they are called on that queue
    /// itself, where nothing has to wait.
    static func callQueue() -> DispatchQueue {
        let queue = DispatchQueue(label: "calls of URLSession")
        #if canImport(CFoundationNetworkingFixes)
            Logger(label: "URLSession").debug(
                "fixes of FoundationNetworking",
                metadata: [
                    "active": "\(cfnf_are_active())", "epoll": "\(cfnf_use_epoll())",
                    "queue": "\(cfnf_starts_on_queue())", "timers": "\(cfnf_keep_timers())",
                    "waits": "\(cfnf_wait_in_queue())",
                ])
        #endif
        return queue
    }
}

/// Runs operations where they are added.
///
/// `URLSession` adds those of its delegate on its own queue, which is serial. Nothing of ours there
/// calls `URLSession` or waits.
private final class InPlace: OperationQueue, @unchecked Sendable {
    // @unchecked: the superclass is, and this adds no state.
    override func addOperation(_ block: @escaping @Sendable () -> Void) { block() }
}
