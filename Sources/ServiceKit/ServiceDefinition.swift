public import ArgumentParser
public import MicroHTTPD

/// A service: its name, its default port, its options and its routes.
public protocol ServiceDefinition: SendableMetatype {
    /// The options that only this service has.
    associatedtype Options: ParsableArguments = NoOptions

    /// The name of the executable, and of the service in its log.
    static var name: String { get }

    /// One line for `--help`.
    static var abstract: String { get }

    /// The default port.
    static var port: UInt16 { get }

    /// A line of explanation for each metric that only this service has.
    static var metricsHelp: [String: String] { get }

    /// The first half of `/openapi.yaml`: everything but the common components.
    static var apiDescription: [UInt8] { get }

    /// Adds the routes that only this service has; the process has no other thread yet.
    static func addRoutes(to router: inout Router, options: Options)
}

extension ServiceDefinition {
    /// None.
    public static var metricsHelp: [String: String] { [:] }

    // @MainActor: `@main` finds no function of another module that may run on any actor.
    /// Runs the service until it is told to stop, and ends the process.
    ///
    /// Exit codes: 0, stopped as told; 1, too few descriptors, cannot listen, or not healthy; 64,
    /// wrong usage; 128 and the number of a second signal.
    @MainActor public static func main() async {
        await ServiceCommand<Self>.main()
    }
}

/// The options of a service that has none of its own.
public struct NoOptions: ParsableArguments {
    /// Makes no options.
    public init() {}
}
