import Foundation
import FoundationNetworking
import Synchronization

/// The limit of Service B: `URLSession` alone, set up as in `EchoClient`, and no server before it.
///
/// Takes the URL, the body that every answer must have, the seconds to measure after a second of
/// warm-up, and the number of calls at once; writes what it has measured as one line of JSON, and goes
/// on until standard input ends, so that others can see how much memory it has.
@main
struct URLSessionLoop {
    static func main() async throws {
        let arguments = CommandLine.arguments
        let seconds = Double(arguments[3]) ?? 1
        guard let url = URL(string: arguments[1]) else { fatalError("not a URL") }
        let loop = Loop(url: url, body: Data(arguments[2].utf8))
        for _ in 0..<(Int(arguments[4]) ?? 1) { loop.call() }

        try await Task.sleep(for: .seconds(1))
        _ = loop.takeResults()
        let (start, startCPU) = (ContinuousClock.now, processorTime())
        try await Task.sleep(for: .seconds(seconds))
        var (latencies, wrong) = loop.takeResults()
        let (end, endCPU) = (ContinuousClock.now, processorTime())

        latencies.sort()
        let count = latencies.count
        print(
            """
            {"requests": \(count), "seconds": \((end - start) / .seconds(1)), "wrong": \(wrong), \
            "p50": \(latencies[count / 2]), "p99": \(latencies[count * 99 / 100]), \
            "cpu": \(endCPU - startCPU)}
            """)
        fflush(nil)
        _ = readLine()
        _exit(0)  // The loop goes on, and exit(3) would free what its threads use.
    }

    /// What this process has used of the processors, in seconds.
    private static func processorTime() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }
}

/// Calls, each of which starts another when it has been answered.
final class Loop: Sendable {
    /// Latencies in microseconds, and the number of answers that were not as they must be.
    typealias Results = (latencies: [Double], wrong: Int)

    private let request: URLRequest
    private let body: Data
    private let session: URLSession
    private let results = Mutex<Results>(([], 0))

    init(url: URL, body: Data) {
        var request = URLRequest(url: url)
        request.setValue("0123456789abcdef-100000", forHTTPHeaderField: "X-Request-Id")
        self.request = request
        self.body = body
        let configuration = URLSessionConfiguration.ephemeral
        configuration.httpAdditionalHeaders = ["Accept-Encoding": "identity"]
        configuration.httpCookieAcceptPolicy = .never
        configuration.httpCookieStorage = nil
        configuration.httpMaximumConnectionsPerHost = 1024
        configuration.httpShouldSetCookies = false
        configuration.urlCache = nil
        configuration.urlCredentialStorage = nil
        configuration.timeoutIntervalForRequest = 4
        let serial = OperationQueue()
        serial.maxConcurrentOperationCount = 1
        session = URLSession(configuration: configuration, delegate: nil, delegateQueue: serial)
    }

    func call() {
        let start = ContinuousClock.now
        session.dataTask(with: request) { [self] data, response, _ in
            let latency = (ContinuousClock.now - start) / .microseconds(1)
            let isRight = (response as? HTTPURLResponse)?.statusCode == 200 && data == body
            results.withLock {
                $0.latencies.append(latency)
                $0.wrong += isRight ? 0 : 1
            }
            call()
        }.resume()
    }

    /// What has been measured since the last time.
    func takeResults() -> Results {
        results.withLock { exchange(&$0, with: ([], 0)) }
    }
}
