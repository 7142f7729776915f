#if canImport(CFoundationNetworkingFixes)
    import CFoundationNetworkingFixes
#endif
import Dispatch
import Foundation
import FoundationNetworking
import Synchronization
import TestSupport
import Testing

@testable import ServiceB

extension SystemTests {
    /// What is true of a session itself; each in a process of its own, since a session is for life.
    @Suite struct SessionTests {
        @Test func `The session ends a call by itself, soon after B's own deadline`() async {
            await #expect(processExitsWith: .success) {
                try await onThread { () throws in
                    let peer = try Peer { $0.waitForClose() }
                    let session = EchoClient.session(timeout: .milliseconds(300), maxCalls: 8)
                    let failure = Mutex<(any Error)?>(nil)
                    let start = ContinuousClock.now
                    let task = session.dataTask(with: try peer.url) { _, _, error in
                        failure.withLock { $0 = error }
                    }
                    task.resume()
                    try #require(eventually { failure.withLock { $0 != nil } })
                    let time = ContinuousClock.now - start
                    let error = failure.withLock { $0 as? URLError }
                    try #require(error?.code == .timedOut)
                    try #require(time >= .milliseconds(300))
                    try #require(time < (hasFixes ? .milliseconds(900) : .milliseconds(3500)))
                }
            }
        }

        #if canImport(CFoundationNetworkingFixes)
            @Test func `A session that has ended leaves no descriptor behind`() async {
                await #expect(processExitsWith: .success) {
                    try await onThread { () throws in
                        try #require(cfnf_use_epoll())
                        let peer = try Peer { peer in
                            while case let request = peer.request(), !request.isEmpty {
                                peer.respond("Hello")
                            }
                        }
                        try call(peer.url)
                        let before = try descriptors()
                        for _ in 0..<20 { try call(peer.url) }
                        try #require(try eventually { try descriptors() <= before })
                    }
                }
            }

            // Each of these calls takes 10 ms, or more, if a wait does not see the block behind it,
            // or the thread that wants the queue; or if a session waits in a queue that it shares.
            @Test(arguments: [(1, true), (1, false), (3, true)])
            func `A queue that waits lets what is added to it go first`(
                sessions count: Int, isOnQueue: Bool
            ) async {
                await #expect(processExitsWith: .success) { [count, isOnQueue] in
                    try await onThread { () throws in
                        let peer = try Peer { peer in
                            while case let request = peer.request(), !request.isEmpty {
                                peer.respond("Hello")
                            }
                        }
                        let url = try peer.url
                        let sessions = (0..<count).map { _ in
                            EchoClient.session(timeout: .seconds(2), maxCalls: 8)
                        }
                        let queue = EchoClient.callQueue()
                        try #require(cfnf_wait_in_queue())
                        let times = try (0..<150).map { number in
                            let isDone = Gate()
                            let start = ContinuousClock.now
                            @Sendable func begin() {
                                sessions[number % count].dataTask(with: url) { data, _, _ in
                                    if data == Data("Hello".utf8) { isDone.open() }
                                }.resume()
                            }
                            if isOnQueue { queue.async(execute: begin) } else { begin() }
                            try #require(eventually { isDone.isOpen })
                            return ContinuousClock.now - start
                        }
                        try #require(times.sorted()[times.count / 2] < .milliseconds(10))
                    }
                }
            }

            @Test func `Only what runs on the session's queue need not wait for another queue`()
                async
            {
                await #expect(processExitsWith: .success) {
                    try await onThread { () throws in
                        let key = DispatchSpecificKey<Bool>()
                        let queue = DispatchQueue(label: "another")
                        queue.setSpecific(key: key, value: true)
                        // A block that runs where it is given to `sync` is not on the queue.
                        @Sendable func waits() -> Bool {
                            queue.sync { DispatchQueue.getSpecific(key: key) == true }
                        }
                        let session = EchoClient.session(timeout: .seconds(2), maxCalls: 8)
                        try #require(waits())
                        let (isThere, mayLeave, hasLeft) = (Gate(), Gate(), Gate())
                        let waited = Mutex<[Bool]>([])
                        EchoClient.callQueue().async {
                            waited.withLock { $0.append(waits()) }
                            isThere.open()
                            _ = eventually { mayLeave.isOpen }
                            waited.withLock { $0.append(waits()) }
                            hasLeft.open()
                        }
                        try #require(cfnf_starts_on_queue())
                        try #require(eventually { isThere.isOpen })
                        try #require(waits())
                        mayLeave.open()
                        try #require(eventually { hasLeft.isOpen })
                        try #require(waited.withLock { $0 } == [false, false])
                        // Nor does the mark stay with the thread, or with the queue.
                        let isOver = Gate()
                        session.getAllTasks { _ in
                            waited.withLock { $0 = [waits()] }
                            isOver.open()
                        }
                        try #require(eventually { isOver.isOpen })
                        try #require(waited.withLock { $0 } == [true])
                    }
                }
            }
        #endif
    }
}

extension Peer {
    fileprivate var url: URL {
        get throws { try #require(URL(string: "http://127.0.0.1:\(port)/")) }
    }
}

/// Makes a session, calls `url` with it, and ends it.
private func call(_ url: URL) throws {
    let isDone = Gate()
    let session = URLSession(configuration: .ephemeral)
    let task = session.dataTask(with: url) { data, _, _ in
        if data == Data("Hello".utf8) { isDone.open() }
    }
    task.resume()
    try #require(eventually { isDone.isOpen })
    session.finishTasksAndInvalidate()
}

private func descriptors() throws -> Int {
    try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count
}
