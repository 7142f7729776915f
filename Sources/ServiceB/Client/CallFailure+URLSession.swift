import Foundation
import FoundationNetworking
import Glibc
import ServiceKit

extension CallFailure {
    /// Why a call to echo `message` failed; nil if the answer is its echo.
    init?(
        _ message: String, _ data: Data?, _ response: URLResponse?, _ error: (any Error)?,
        timeout: Duration
    ) {
        let status = (response as? HTTPURLResponse)?.statusCode
        var usual: [UInt8] { JSON.object([("echo", .string(message))]).line }
        if let error {
            self.init(error, timeout: timeout)
        } else if let status, status != 200 {
            self = .badStatus(status)
        } else if status == 200, let data,
            data.elementsEqual(usual) || Self.isEcho(Array(data), of: message)
        {
            return nil
        } else {
            self = .badAnswer
        }
    }

    private static func isEcho(_ content: [UInt8], of message: String) -> Bool {
        content.count <= message.utf8.count + 65_536
            && EchoAnswer.echo(in: content)?.elementsEqual(message.utf8) == true
    }

    private init(_ error: any Error, timeout: Duration) {
        /// If not, the failure is not Service A's.
        var mayOpenFiles: Bool {
            let descriptor = dup(STDOUT_FILENO)
            if descriptor >= 0 { close(descriptor) }
            return descriptor >= 0 || errno != EMFILE && errno != ENFILE
        }
        // URLSession has one code for most of libcurl's: only the text tells them apart.
        let text = error.localizedDescription
        switch (error as? URLError)?.code {
        case .cannotConnectToHost: self = .refused
        case .badURL: self = .dns  // Its host, which is all that ServiceAURL leaves to others.
        case .cannotFindHost: self = mayOpenFiles ? .dns : .overloaded
        case .timedOut: self = .timeout(timeout)
        // By has_connection in CFoundationNetworkingFixes.
        case .unknown where text.hasPrefix("operation aborted by pre-request"): self = .refused
        case .networkConnectionLost, .badServerResponse: self = .reset
        case .unknown where text.hasPrefix("Failed to connect"):
            self = mayOpenFiles ? .unreachable : .overloaded
        case .unknown where Self.endings.contains(where: text.hasPrefix): self = .reset
        default: self = .badAnswer
        }
    }

    /// How libcurl's texts begin for a connection that has ended too early.
    ///
    /// It keeps the first text of a call: a bad answer is called `reset` if it came on a new
    /// connection after the one before was reset during the call.
    private static let endings = [
        "transfer closed", "Recv failure", "Send failure", "Connection died",
    ]
}
