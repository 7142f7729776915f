// swift-tools-version: 6.2
import PackageDescription

// A package of its own, so that clients that are tried never reach the services.
let package = Package(
    name: "clients",
    dependencies: [
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0")
    ],
    targets: [
        .executableTarget(
            name: "AsyncHTTPClientClient",
            dependencies: [.product(name: "AsyncHTTPClient", package: "async-http-client")]),
        .executableTarget(name: "URLSessionClient"),
    ]
)
