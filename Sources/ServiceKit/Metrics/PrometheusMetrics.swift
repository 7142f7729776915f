public import Metrics
import Synchronization

/// A backend of swift-metrics that keeps all metrics in memory and writes them in Prometheus' text format.
public final class PrometheusMetrics: MetricsFactory {
    private enum Kind: String {
        case counter, gauge, histogram
    }

    private struct Family {
        let kind: Kind
        var series: [String: any PrometheusSeries] = [:]
    }

    private let families = Mutex<[String: Family]>([:])
    private let help: [String: String]

    /// Makes a backend without metrics; `help` has a line of explanation for each name.
    public init(help: [String: String]) {
        self.help = help
    }

    /// All metrics, in the text format 0.0.4, in order of their names and labels.
    public var text: String {
        families.withLock { families in
            var text = ""
            for (name, family) in families.sorted(by: { $0.key < $1.key }) {
                if let help = help[name] { text += "# HELP \(name) \(help)\n" }
                text += "# TYPE \(name) \(family.kind)\n"
                for (labels, series) in family.series.sorted(by: { $0.key < $1.key }) {
                    series.write(name: name, labels: labels, to: &text)
                }
            }
            return text
        }
    }

    /// The series of this name and these labels, the same for whoever asks.
    private func series<Series: PrometheusSeries>(
        _ name: String, _ labels: [(String, String)], _ kind: Kind, make: () -> Series
    ) -> Series {
        let labels = labels.sorted { $0.0 < $1.0 }.map { "\($0)=\(quoted($1))" }
            .joined(separator: ",")
        return families.withLock { families in
            if let known = families[name]?.series[labels] {
                guard let known = known as? Series else {
                    preconditionFailure("\(name) is two kinds of metric")
                }
                return known
            }
            let new = make()
            families[name, default: Family(kind: kind)].series[labels] = new
            return new
        }
    }

    private func quoted(_ value: String) -> String {
        let escaped = value.flatMap { character in
            switch character {
            case "\\": "\\\\"
            case "\"": "\\\""
            case "\n": "\\n"
            default: String(character)
            }
        }
        return "\"\(String(escaped))\""
    }

    /// A counter.
    public func makeCounter(
        label: String, dimensions: [(String, String)]
    ) -> any CounterHandler {
        series(label, dimensions, .counter) { CounterSeries() }
    }

    /// A gauge.
    public func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
        series(label, dimensions, .gauge) { Gauge() }
    }

    /// A histogram of lengths of time, in seconds, from 0.1 ms to 10 s.
    public func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
        series(label, dimensions, .histogram) { Histogram() }
    }

    /// The same histogram, of values that are seconds.
    public func makeRecorder(
        label: String, dimensions: [(String, String)], aggregate: Bool
    ) -> any RecorderHandler {
        series(label, dimensions, .histogram) { Histogram() }
    }

    /// Keeps the series: a counter that disappears and comes back would look like a restart.
    public func destroyCounter(_ handler: any CounterHandler) {}
    /// Keeps the series.
    public func destroyMeter(_ handler: any MeterHandler) {}
    /// Keeps the series.
    public func destroyTimer(_ handler: any TimerHandler) {}
    /// Keeps the series.
    public func destroyRecorder(_ handler: any RecorderHandler) {}
}

/// One metric with one set of labels.
private protocol PrometheusSeries: AnyObject, Sendable {
    func write(name: String, labels: String, to text: inout String)
}

extension PrometheusSeries {
    func line(_ name: String, _ labels: String, _ value: some CustomStringConvertible) -> String {
        "\(name)\(labels.isEmpty ? "" : "{\(labels)}") \(value)\n"
    }
}

private final class CounterSeries: PrometheusSeries, CounterHandler {
    private let value = Atomic<Int64>(0)

    func increment(by amount: Int64) { value.wrappingAdd(amount, ordering: .relaxed) }

    func reset() { value.store(0, ordering: .relaxed) }

    func write(name: String, labels: String, to text: inout String) {
        text += line(name, labels, value.load(ordering: .relaxed))
    }
}

private final class Gauge: PrometheusSeries, MeterHandler {
    private let value = Mutex(0.0)

    func set(_ value: Int64) { set(Double(value)) }

    func set(_ value: Double) { self.value.withLock { $0 = value } }

    func increment(by amount: Double) { value.withLock { $0 += amount } }

    func decrement(by amount: Double) { value.withLock { $0 -= amount } }

    func write(name: String, labels: String, to text: inout String) {
        text += line(name, labels, value.withLock { $0 })
    }
}

private final class Histogram: PrometheusSeries, TimerHandler, RecorderHandler {
    private static let bounds = [
        0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5,
        10,
    ]

    private struct State {
        var counts = [Int](repeating: 0, count: bounds.count + 1)
        var sum = 0.0
    }

    private let state = Mutex(State())

    func recordNanoseconds(_ duration: Int64) { record(Double(duration) / 1e9) }

    func record(_ value: Int64) { record(Double(value)) }

    func record(_ value: Double) {
        let bucket = Self.bounds.firstIndex { value <= $0 } ?? Self.bounds.count
        state.withLock {
            $0.counts[bucket] += 1
            $0.sum += value
        }
    }

    func write(name: String, labels: String, to text: inout String) {
        let state = state.withLock { $0 }
        let prefix = labels.isEmpty ? "" : "\(labels),"
        var count = 0
        for (bound, inBucket) in zip(Self.bounds.map { "\($0)" } + ["+Inf"], state.counts) {
            count += inBucket
            text += line("\(name)_bucket", "\(prefix)le=\"\(bound)\"", count)
        }
        text += line("\(name)_sum", labels, state.sum)
        text += line("\(name)_count", labels, count)
    }
}
