// swift-tools-version: 6.2
import PackageDescription

// A package of its own, so that what the services are measured against never reaches them.
let package = Package(
    name: "benchmarks",
    dependencies: [
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.0"),
        .package(url: "https://github.com/swhitty/FlyingFox", from: "0.27.0"),
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
    ],
    targets: [
        .executableTarget(
            name: "HummingbirdEcho",
            dependencies: [.product(name: "Hummingbird", package: "hummingbird")]),
        .executableTarget(
            name: "HummingbirdCall",
            dependencies: [
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
            ]),
        .executableTarget(
            name: "FlyingFoxEcho",
            dependencies: [.product(name: "FlyingFox", package: "FlyingFox")]),
        .executableTarget(name: "URLSessionLoop"),
    ]
)
