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

    /// The series of this name and these labels, the same one each time.
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
    // The bits of a Double.
    private let bits = Atomic<UInt64>(0)

    private var value: Double { Double(bitPattern: bits.load(ordering: .relaxed)) }

    func set(_ value: Int64) { set(Double(value)) }

    func set(_ value: Double) { bits.store(value.bitPattern, ordering: .relaxed) }

    func increment(by amount: Double) {
        var old = bits.load(ordering: .relaxed)
        while true {
            let new = (Double(bitPattern: old) + amount).bitPattern
            let (isDone, current) = bits.compareExchange(
                expected: old, desired: new, ordering: .relaxed)
            if isDone { return }
            old = current
        }
    }

    func decrement(by amount: Double) { increment(by: -amount) }

    func write(name: String, labels: String, to text: inout String) {
        text += line(name, labels, value)
    }
}

private final class Histogram: PrometheusSeries, TimerHandler, RecorderHandler {
    /// The upper bounds of the buckets but the last, in seconds.
    private static let bounds = [
        0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5,
        10,
    ]

    private let counts = InlineArray<17, Atomic<Int>> { _ in Atomic(0) }
    private let nanoseconds = Atomic<Int64>(0)

    func recordNanoseconds(_ duration: Int64) {
        let seconds = Double(duration) / 1e9
        let bucket = Self.bounds.firstIndex { seconds <= $0 } ?? Self.bounds.count
        counts[bucket].add(1, ordering: .relaxed)
        nanoseconds.wrappingAdd(duration, ordering: .relaxed)
    }

    func record(_ value: Int64) { record(Double(value)) }

    func record(_ value: Double) { recordNanoseconds(Int64(value * 1e9)) }

    func write(name: String, labels: String, to text: inout String) {
        let prefix = labels.isEmpty ? "" : "\(labels),"
        var count = 0
        for (index, bound) in (Self.bounds.map { "\($0)" } + ["+Inf"]).enumerated() {
            count += counts[index].load(ordering: .relaxed)
            text += line("\(name)_bucket", "\(prefix)le=\"\(bound)\"", count)
        }
        let sum = Double(nanoseconds.load(ordering: .relaxed)) / 1e9
        text += line("\(name)_sum", labels, sum)
        text += line("\(name)_count", labels, count)
    }
}
