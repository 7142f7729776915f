import ArgumentParser
import Glibc
import ServiceKit

/// Servers that misbehave, as a command.
@main
struct Misbehave: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "misbehave",
        abstract: "Servers that misbehave in HTTP, each in its own way, to test clients.",
        subcommands: [List.self, Serve.self, Try.self])

    /// Exit codes: 0; 1, a verdict is bad, or it cannot listen; 64, wrong usage, in one line.
    static func main() {
        // The parent process may have blocked signals, and Ctrl-C is how `serve` ends.
        var none = sigset_t()
        _ = unsafe sigemptyset(&none)
        _ = unsafe sigprocmask(SIG_SETMASK, &none, nil)
        do {
            var command = try parseAsRoot()
            try command.run()
        } catch let code as ExitCode {
            exit(withError: code)
        } catch  where exitCode(for: error).isSuccess {
            exit(withError: error)  // --help
        } catch let error as UsageError {
            end("\(error)", EX_USAGE)
        } catch  where exitCode(for: error) == .validationFailure {
            end("\(UsageError(message(for: error)))", EX_USAGE)
        } catch {
            end("\(error)", EXIT_FAILURE)
        }
    }

    private static func end(_ message: String, _ code: CInt) -> Never {
        say("misbehave: \(message)")
        Glibc.exit(code)
    }

    /// Writes a line on standard error.
    static func say(_ line: String, end: String = "\n") {
        let bytes = Array((line + end).utf8)
        // There is nobody to tell if that fails.
        _ = unsafe write(STDERR_FILENO, bytes, bytes.count)
    }

    /// Writes a line on standard output, for a pipe as well as for a terminal at once.
    static func show(_ line: String) {
        let bytes = Array((line + "\n").utf8)
        _ = unsafe write(STDOUT_FILENO, bytes, bytes.count)
    }
}
