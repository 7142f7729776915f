import Foundation
import FoundationNetworking
import Glibc
import ServiceKit

extension CallFailure {
    /// Why a call to echo `message` failed; nil if the answer is its echo.
    static func ofCall(
        echoing message: String, _ data: Data?, _ response: URLResponse?, _ error: (any Error)?,
        timeout: Duration
    ) -> Self? {
        if let error { return Self(error, timeout: timeout) }
        let status = (response as? HTTPURLResponse)?.statusCode
        if let status, status != 200 { return .badStatus(status) }
        let usual = JSON.object([("echo", .string(message))]).line
        guard status == 200, let data,
            data.elementsEqual(usual) || isEcho(Array(data), of: message)
        else { return .badAnswer }
        return nil
    }

    private static func isEcho(_ content: [UInt8], of message: String) -> Bool {
        content.count <= message.utf8.count + 65_536
            && EchoAnswer.echo(in: content)?.elementsEqual(message.utf8) == true
    }

    private init(_ error: any Error, timeout: Duration) {
        /// If not, the failure is not Service A's.
        var hasDescriptors: Bool {
            let descriptor = dup(STDOUT_FILENO)
            if descriptor >= 0 { close(descriptor) }
            return descriptor >= 0 || errno != EMFILE && errno != ENFILE
        }
        // URLSession has one code for most of libcurl's: only the text tells them apart.
        let text = error.localizedDescription
        switch (error as? URLError)?.code {
        case .cannotConnectToHost: self = .refused
        case .badURL: self = .dns  // libcurl rejects its host; ServiceAURL has checked the rest.
        case .cannotFindHost: self = hasDescriptors ? .dns : .overloaded
        case .timedOut: self = .timeout(timeout)
        // By has_connection in CFoundationNetworkingFixes.
        case .unknown where text.hasPrefix("operation aborted by pre-request"): self = .refused
        case .networkConnectionLost, .badServerResponse: self = .reset
        case .unknown where text.hasPrefix("Failed to connect"):
            self = hasDescriptors ? .unreachable : .overloaded
        case .unknown where Self.endings.contains(where: text.hasPrefix): self = .reset
        default: self = .badAnswer
        }
    }

    /// How libcurl's texts begin for a connection that has ended too early.
    private static let endings = [
        "transfer closed", "Recv failure", "Send failure", "Connection died",
    ]
}
