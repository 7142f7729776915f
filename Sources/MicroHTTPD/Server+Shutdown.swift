import Logging
import Synchronization

extension Server {
    /// Ends the service, which loses no response unless the shutdown timeout passes.
    ///
    /// 1. From now on responses say `Connection: close`, unless the connection's next request has
    ///    arrived already (``ConnectionRecord/keepsAlive(after:)``), so busy connections end by
    ///    themselves. For the drain delay, new ones are still accepted.
    /// 2. New connections are refused; clients that have connected are served.
    /// 3. Connections in the backlog are accepted, in place of idle ones if the limit is reached,
    ///    requests that arrive are read, and those in flight are finished, which is when their
    ///    responses have been sent (`completed`). When all is at rest, a heuristic
    ///    (``restingTime``), only idle connections are left.
    /// 4. Handlers that still wait are abandoned, since libmicrohttpd must not stop while a connection
    ///    is suspended. From here on, no connection can be suspended.
    /// 5. libmicrohttpd closes what is left, without a reset (`connectionChanged`), and its threads
    ///    end.
    func drain(_ daemon: consuming Daemon) async {
        isDraining.store(true, ordering: .relaxed)
        logger.notice(
            "shutting down",
            metadata: [
                "connections": .stringConvertible(connections.count),
                "drain_delay": "\(configuration.drainDelay)",
                "requests_in_flight": .stringConvertible(connections.unfinishedCount),
                "shutdown_timeout": "\(configuration.shutdownTimeout)",
            ])
        // If the task is cancelled, there is no delay.
        try? await Task.sleep(for: configuration.drainDelay)
        do {
            try daemon.listener.refuseConnections()
        } catch {
            logger.warning("still accepting while draining", metadata: ["error": "\(error)"])
        }
        logger.notice(
            "draining",
            metadata: [
                "connections": .stringConvertible(connections.count),
                "requests_in_flight": .stringConvertible(connections.unfinishedCount),
            ])
        let cutOff = await waitUntilAtRest(daemon, deadline: .now + configuration.shutdownTimeout)
        if cutOff > 0 {
            logger.warning("requests cut off", metadata: ["count": .stringConvertible(cutOff)])
        }
        connections.abandonHandlers()
        await daemon.stop()
        logger.notice("stopped", metadata: ["requests_cut_off": .stringConvertible(cutOff)])
    }

    /// Waits until nothing is unfinished or in the backlog, and none of that has changed for
    /// ``restingTime``.
    ///
    /// - Returns: how many requests and connections were left at `deadline`, or when cancelled.
    private func waitUntilAtRest(
        _ daemon: borrowing Daemon, deadline: ContinuousClock.Instant
    ) async -> Int {
        var lastSample = ContinuousClock.now
        var restingSince = lastSample
        var backlogEmptySince = lastSample
        while true {
            let now = ContinuousClock.now
            let backlog = daemon.listener.backlog
            let left = connections.unfinishedCount + backlog
            // After so long without a sample, the process was frozen, and libmicrohttpd was too.
            let wasFrozen = now - lastSample > .milliseconds(100)
            if left > 0 || wasFrozen { restingSince = now }
            if backlog == 0 || wasFrozen { backlogEmptySince = now }
            lastSample = now
            // The limit of connections is reached.
            if now - backlogEmptySince >= Self.restingTime {
                connections.shutDownIdle(for: Self.restingTime)
            }
            // Asked last: a request that came and was answered meanwhile has broken the silence.
            let rest = min(now - restingSince, connections.silence)
            if rest >= Self.restingTime { return 0 }
            // A sample every 10 ms: the kernel does not signal that a queue is empty.
            guard now < deadline, (try? await Task.sleep(for: .milliseconds(10))) != nil else {
                return left
            }
        }
    }

    /// How long a request may be under way in the network: a heuristic.
    ///
    /// A client that sends its next request on an idle connection later than this finds the
    /// connection closed, as it may at any time, and can send it again (RFC 9112 §9.3.1, §9.5).
    private static let restingTime = Duration.milliseconds(200)
}
