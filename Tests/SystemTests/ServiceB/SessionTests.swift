#if canImport(CFoundationNetworkingFixes)
    import CFoundationNetworkingFixes
    import Foundation
    import FoundationNetworking
    import TestSupport
    import Testing

    extension SystemTests {
        @Suite struct SessionTests {
            @Test func `A session that has ended leaves no descriptor behind`() async {
                // In a process of its own, since others open descriptors too.
                await #expect(processExitsWith: .success) {
                    try #require(cfnf_use_epoll())
                    let peer = try Peer { peer in
                        while case let request = peer.request(), !request.isEmpty {
                            peer.respond("Hello")
                        }
                    }
                    try call(peer.port)
                    let before = try descriptors()
                    for _ in 0..<20 { try call(peer.port) }
                    try #require(try eventually { try descriptors() <= before })
                }
            }
        }
    }

    /// Makes a session, calls `port` with it, and ends it.
    private func call(_ port: UInt16) throws {
        let url = try #require(URL(string: "http://127.0.0.1:\(port)/"))
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
#endif
