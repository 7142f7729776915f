import Foundation

/// What `service-a.test` resolves to in the processes that are started with its environment.
package final class TestResolver: Sendable {
    private let file: URL

    /// The variables that a process needs to have this resolver.
    package var environment: [String: String] {
        interposer.merging(["TEST_RESOLVER": file.path]) { $1 }
    }

    /// How often the name was looked up.
    package var lookups: Int {
        (try? Data(contentsOf: log).count) ?? 0
    }

    private var log: URL { file.appendingPathExtension("lookups") }

    /// Makes a resolver that knows no address.
    package init() throws {
        file = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    }

    deinit {
        try? FileManager.default.removeItem(at: file)
        try? FileManager.default.removeItem(at: log)
    }

    /// Sets the address, or several with spaces between, or has look-ups wait for ever if that is "hang".
    package func resolve(to address: String) throws {
        try Data(address.utf8).write(to: file, options: .atomic)
    }
}

/// The variables with which a process has the functions of CTestInterposer.
package var interposer: [String: String] {
    let library = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        .deletingLastPathComponent().appendingPathComponent("libTestInterposer.so").path
    return ["LD_PRELOAD": library]
}
