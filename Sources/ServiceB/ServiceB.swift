import ArgumentParser
import Logging
import MicroHTTPD
import ServiceKit

#if canImport(CFoundationNetworkingFixes)
    import CFoundationNetworkingFixes
#endif

/// The client of Service A.
@main
struct ServiceB: ServiceCommand {
    static let configuration = CommandConfiguration(
        commandName: "service-b",
        abstract: "The client: GET /call-echo?msg=… calls Service A and answers even if A cannot.",
        version: Version.text)

    static let defaultPort: UInt16 = 8081

    static let metricsHelp = UpstreamMetrics.help

    static let apiDescription = PackageResources.openapi_yaml

    @Option(
        name: .customLong("service-a-url"), parsing: .unconditional,
        help: "Where Service A is, http only [SERVICE_A_URL] (default: http://localhost:8080).")
    var serviceAURL: String?

    @Option(
        parsing: .unconditional,
        help: "The total deadline of a call, from 1ms [SERVICE_A_TIMEOUT] (default: 2s).")
    var timeout: String?

    @Option(
        parsing: .unconditional,
        help: "Calls in flight at once [SERVICE_A_MAX_CALLS] (default: 1024).")
    var maxCalls: String?

    @OptionGroup var options: ServiceOptions

    static func main() async {
        EchoClient.ignoreProxies()
        await runService()
    }

    func addRoutes(to router: inout Router, logger: Logger) throws(UsageError) {
        #if canImport(CFoundationNetworkingFixes)
            logger.debug(
                "fixes of FoundationNetworking", metadata: ["active": "\(cfnf_are_active())"])
        #endif
        let maxCalls = try Setting(
            "--max-calls", "SERVICE_A_MAX_CALLS", takes: "a whole number from 1 to 65535"
        ) { UInt16(plain: $0).flatMap { $0 > 0 ? Int($0) : nil } }.value(maxCalls, default: "1024")
        let serviceA = try Setting(
            "--service-a-url", "SERVICE_A_URL",
            takes: "an http URL without user, query and fragment"
        ) { ServiceAURL($0) }.value(serviceAURL, default: "http://localhost:8080")
        let deadline = try Setting("--timeout", "SERVICE_A_TIMEOUT", atLeast: .milliseconds(1))
            .value(timeout, default: "2s")
        let client = EchoClient(
            timeout: deadline,
            maxCalls: min(maxCalls, DescriptorLimit.connections))
        let callEcho = CallEcho(serviceA: serviceA, client: client)
        let page = Page(deadline: deadline)
        router.get("/") { _ in page.response }
        router.get("/call-echo") { request in try await callEcho.response(to: request) }
    }
}
