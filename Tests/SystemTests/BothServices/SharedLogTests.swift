import Foundation
import TestSupport
import Testing

extension SystemTests {
    @Suite struct SharedLogTests {
        @Test(arguments: [2, 3])
        func `Services that share a pipe which nobody reads answer, and break no line`(count: Int)
            throws
        {
            // So small that whoever is first takes all the room.
            let pipe = try LogPipe(size: 4096)
            let services = try (0..<count).map { _ in
                // Nobody listens there: each call is a line of level error.
                try ServiceProcess(
                    "service-b", ["--service-a-url", "http://127.0.0.1:1"], pipe: pipe)
            }
            let isOver = Gate()
            let answered = SharedCount()
            let loads = services.map { service in
                let port = service.port
                return inBackground {
                    while !isOver.isOpen {
                        if let reply = try? get("/call-echo?msg=x", port: port) {
                            #expect(reply.status == 503)
                            answered.add()
                        }
                    }
                }
            }
            for _ in 0..<400 {
                pipe.read()
                for service in services {
                    #expect(try get("/health", port: service.port).status == 200)
                }
            }
            isOver.open()
            for load in loads { #expect(eventually { load.isOpen }) }
            pipe.resize(1_048_576)
            Thread.detachNewThread { pipe.readToEnd() }
            for service in services { service.signal(SIGTERM) }
            for service in services { #expect(service.exitCode() == 0) }
            #expect(eventually { pipe.lines.count { $0.contains(" stopped ") } == count })
            var told = 0
            for line in pipe.lines {
                let whole = try #require(
                    line.wholeMatch(
                        of:
                            /[-0-9]{10}T[:0-9]{8}\.\d{3}Z [a-z]+ service-b (\w+|"[a-z ]+")( \w+=(?:[^" ]+|"[^"]*"))*/
                    ), "\(line)")
                if whole.1 == "request" { told += 1 }
                if whole.1.contains("lost") {
                    told += try #require(line.split(separator: "=").last.flatMap { Int($0) })
                }
            }
            #expect(told == answered.value)
        }
    }
}
