import ArgumentParser
import Misbehaviours
import ServiceKit

/// `misbehave try`.
struct Try: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract:
            "Try a client on them, and judge: does it come back, in time, alive, with the truth?",
        usage: """
            misbehave try [options] -- <command> ... '{url}/echo?msg=Hello' ...
            misbehave try [options] --service <url>
            """,
        discussion: """
            A command is run once for each, with the server's address for {url}, and must exit \
            with 0 if it has the answer. A service is asked three times for each and calls this \
            program.

            Bad verdicts, and exit code 1: late, crashed, grew, wrong, stuck (a service that takes \
            no right answer afterwards). Refusing a valid answer is reported, but not bad.
            """)

    @Option(
        name: .customLong("only"), help: "Only these names or kinds of the list, with commas.")
    var only: String?

    @Option("Deadline that the client has been given", variable: "timeout", .duration())
    var timeout = Duration.seconds(2)

    @Option(
        "Megabytes that it may use beyond a plain answer", variable: "mb",
        .wholeNumber(1...100_000))
    var growth = 64

    @Option(help: "Where to ask the service, such as 'http://localhost:8081/call-echo?msg=Hello'.")
    var service: String?

    @Option("Port at which the service expects us", variable: "port", .wholeNumber(1...65535))
    var port: UInt16 = 8080

    @Option(help: "Process of the service, to judge its memory.")
    var pid: Int32?

    @Flag(help: "Print JSON.")
    var json = false

    @Flag(help: "Print a table in Markdown.")
    var markdown = false

    @Argument(parsing: .postTerminator, help: "The client, in which {url} is the server's address.")
    var command: [String] = []

    func run() throws {
        let chosen = try only.map { names in
            try names.split(separator: ",").flatMap { try Misbehaviour.called(String($0)) }
        }
        let limits = TrialLimits(timeout: timeout, growth: growth * 1_000_000)
        let client: any Client
        switch (service, command.isEmpty) {
        case (nil, false): client = CommandClient(command)
        case (let url?, true): client = try ServiceClient(url, port: port, pid: pid)
        default: throw UsageError("try takes either a command after -- or --service")
        }
        let format: Report.Format = json ? .json : markdown ? .markdown : .text
        var report = Report(format: format, of: (chosen ?? Misbehaviour.all).count)
        let plain = try client.attempt(.plain, within: timeout + .seconds(10))
        guard plain.hasAnswer else {
            throw UsageError("the client takes not even a right answer: \(plain.end)")
        }
        for one in chosen ?? Misbehaviour.all {
            let limit = limits.time(plain: plain)
            let attempt = try client.attempt(one, within: limit)
            let trial = Trial(one, attempt, limits, plain: plain)
            report.add(trial)
            // A service that has ended is not there for the others.
            if service != nil, trial.verdict == .crashed { break }
        }
        report.finish()
        if report.isBad { throw ExitCode.failure }
    }
}
