// swift-tools-version: 6.2
import PackageDescription

// ServiceA ──┬──→ ServiceKit ──→ MicroHTTPD ──┬──→ CMicroHTTPDFixes ──┐
// ServiceB ──┤                       ↑        └───────────────────────┴──→ CMicroHTTPD
//    │       └───────────────────────┘                                     (the system's)
//    └─→ CFoundationNetworkingFixes
// Misbehave ──→ Misbehaviours; both ──→ ServiceKit, MicroHTTPD. Tests depend on any of these.
//
// In the lists of dependencies, targets of this package come first; products follow.

let swiftSettings: [SwiftSetting] = [
    .strictMemorySafety(),
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("ImmutableWeakCaptures"),
    .enableUpcomingFeature("InferIsolatedConformances"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    // Not what keeps a handler on libmicrohttpd's thread, as one might think: that is
    // `Task.immediate` in HandlerTask, with this or without, and HandlerThreadTests sees to it.
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
]

let argumentParser = Target.Dependency.product(
    name: "ArgumentParser", package: "swift-argument-parser")
let httpTypes = Target.Dependency.product(name: "HTTPTypes", package: "swift-http-types")
let inMemoryLogging = Target.Dependency.product(name: "InMemoryLogging", package: "swift-log")
let inMemoryTracing = Target.Dependency.product(
    name: "InMemoryTracing", package: "swift-distributed-tracing")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let metrics = Target.Dependency.product(name: "Metrics", package: "swift-metrics")
let serviceLifecycle = Target.Dependency.product(
    name: "ServiceLifecycle", package: "swift-service-lifecycle")
let tracing = Target.Dependency.product(
    name: "Tracing", package: "swift-distributed-tracing")
let unixSignals = Target.Dependency.product(
    name: "UnixSignals", package: "swift-service-lifecycle")

let package = Package(
    name: "distributed-echo",
    products: [
        .library(name: "MicroHTTPD", targets: ["MicroHTTPD"]),
        .executable(name: "service-a", targets: ["ServiceA"]),
        .executable(name: "service-b", targets: ["ServiceB"]),
        .executable(name: "misbehave", targets: ["Misbehave"]),
        // For the tests alone, which preload it: only a product is built as a library of its own.
        .library(name: "TestInterposer", type: .dynamic, targets: ["CTestInterposer"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-distributed-tracing", from: "1.7.0"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0", traits: []),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.0"),
        .package(url: "https://github.com/apple/swift-metrics", from: "2.11.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    ],
    targets: [
        .systemLibrary(
            name: "CMicroHTTPD", pkgConfig: "libmicrohttpd",
            providers: [.apt(["libmicrohttpd-dev"])]),
        // Linked into each executable, so that its definitions stand before those of libc and of
        // libmicrohttpd, which calls them; one of them, epoll_wait, is called by nothing here.
        .target(name: "CMicroHTTPDFixes", dependencies: ["CMicroHTTPD"]),
        .target(
            name: "MicroHTTPD",
            dependencies: [
                "CMicroHTTPD", "CMicroHTTPDFixes",
                httpTypes, logging, metrics, serviceLifecycle, tracing,
            ],
            swiftSettings: swiftSettings),
        .target(
            name: "ServiceKit",
            dependencies: [
                "MicroHTTPD",
                argumentParser, httpTypes, logging, metrics, serviceLifecycle, unixSignals,
            ],
            resources: [.embedInCode("Endpoints/openapi.yaml")],
            swiftSettings: swiftSettings),
        .executableTarget(
            name: "ServiceA",
            dependencies: ["MicroHTTPD", "ServiceKit"],
            resources: [.embedInCode("openapi.yaml")],
            swiftSettings: swiftSettings),
        .target(name: "CFoundationNetworkingFixes"),
        .executableTarget(
            name: "ServiceB",
            dependencies: [
                "CFoundationNetworkingFixes", "MicroHTTPD", "ServiceKit",
                argumentParser, httpTypes, logging, metrics, tracing,
            ],
            resources: [
                .embedInCode("openapi.yaml"), .embedInCode("Page/page.css"),
                .embedInCode("Page/page.html"), .embedInCode("Page/page.js"),
            ],
            swiftSettings: swiftSettings),
        .target(
            name: "Misbehaviours", dependencies: ["MicroHTTPD", "ServiceKit"],
            swiftSettings: swiftSettings),
        .executableTarget(
            name: "Misbehave",
            dependencies: [
                "MicroHTTPD", "Misbehaviours", "ServiceKit",
                argumentParser,
            ],
            swiftSettings: swiftSettings),
        .target(name: "CTestInterposer", path: "Tests/CTestInterposer"),
        .target(
            name: "TestSupport",
            dependencies: [
                "CTestInterposer", "MicroHTTPD", "Misbehaviours",
                logging, serviceLifecycle, tracing,
            ],
            path: "Tests/TestSupport",
            swiftSettings: swiftSettings),
        .testTarget(
            name: "MicroHTTPDTests",
            dependencies: [
                "MicroHTTPD", "TestSupport",
                httpTypes, inMemoryLogging, inMemoryTracing, logging, tracing,
            ],
            swiftSettings: swiftSettings),
        .testTarget(
            name: "ServiceKitTests",
            dependencies: [
                "ServiceKit", "TestSupport",
                logging, metrics,
            ],
            swiftSettings: swiftSettings),
        .testTarget(
            name: "SystemTests",
            dependencies: [
                "CTestInterposer", "MicroHTTPD", "Misbehave", "Misbehaviours", "ServiceA",
                "ServiceB",
                "ServiceKit", "TestSupport",
            ],
            swiftSettings: swiftSettings),
    ]
)
