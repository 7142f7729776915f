import ArgumentParser
import MicroHTTPD
import ServiceKit

/// Service B, the client of Service A.
@main
enum ServiceB: ServiceDefinition {
    static let name = "service-b"
    static let abstract =
        "The client: GET /call-echo?msg=… calls Service A and answers even if A cannot."
    static let port: UInt16 = 8081
    static let metricsHelp = [
        "upstream_hedges_total": "Calls of Service A that were made a second time.",
        "upstream_hedges_won_total": "Calls whose second attempt had the answer.",
        "upstream_request_duration_seconds": "From a call of Service A to its outcome.",
        "upstream_requests_in_flight": "Calls of Service A that hold one of the max-calls places.",
        "upstream_requests_total": "Calls of Service A by their outcome.",
    ]
    static let apiDescription = PackageResources.openapi_yaml

    struct Options: ParsableArguments {
        @Option(
            name: .customLong("service-a-url"), "Where Service A is", variable: "SERVICE_A_URL",
            Setting(takes: "an http URL without user, query and fragment") { ServiceAURL($0) })
        var serviceAURL = ServiceAURL.local

        @Option("Total deadline of a call", variable: "SERVICE_A_TIMEOUT", .duration())
        var timeout = Duration.seconds(2)

        @Option(
            "Calls in flight at once", variable: "SERVICE_A_MAX_CALLS", .wholeNumber(1...65535))
        var maxCalls = 1024

        @Option(
            "When to make a call a second time", variable: "SERVICE_A_HEDGE_AFTER",
            .durationOrOff())
        var hedgeAfter: Duration? = nil
    }

    static func addRoutes(to router: inout Router, options: Options) {
        let client = EchoClient(
            timeout: options.timeout, maxCalls: min(options.maxCalls, DescriptorLimit.calls),
            hedgeAfter: options.hedgeAfter)
        let callEcho = CallEcho(serviceA: options.serviceAURL, client: client)
        let page = Page.response(deadline: options.timeout)
        router.get("/") { _ in page }
        router.get("/call-echo", handler: callEcho.response)
    }
}
