// swift-tools-version: 6.2
import PackageDescription

let package = Package(
    name: "hello",
    dependencies: [.package(name: "distributed-echo", path: "../..")],
    targets: [
        .executableTarget(
            name: "Hello",
            dependencies: [.product(name: "MicroHTTPD", package: "distributed-echo")])
    ])
