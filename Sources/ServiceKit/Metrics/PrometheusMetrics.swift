import Metrics
import Synchronization

/// A backend of swift-metrics that keeps all metrics in memory and writes them in Prometheus' text
/// format.
final class PrometheusMetrics: MetricsFactory {
    // By their names and labels.
    private let families = Mutex<[String: [String: any PrometheusSeries]]>([:])
    private let help: [String: String]

    /// Makes a backend without metrics; `help` has a line of explanation for each name.
    init(help: [String: String]) {
        self.help = help
    }

    /// All metrics, in the text format 0.0.4, in order of their names and labels.
    var text: String {
        families.withLock { families in
            var text = ""
            for (name, family) in families.sorted(by: { $0.key < $1.key }) {
                if let help = help[name] { text += "# HELP \(name) \(help)\n" }
                if let kind = family.values.first?.kind { text += "# TYPE \(name) \(kind)\n" }
                for (labels, series) in family.sorted(by: { $0.key < $1.key }) {
                    series.write(name: name, labels: labels, to: &text)
                }
            }
            return text
        }
    }

    /// The series of this name and these labels, the same one each time.
    private func series<Series: PrometheusSeries>(
        _ name: String, _ labels: [(String, String)], _ make: @autoclosure () -> Series
    ) -> Series {
        let labels = labels.sorted { $0.0 < $1.0 }.map { "\($0)=\"\(Self.escaped($1))\"" }
            .joined(separator: ",")
        return families.withLock { families in
            if let known = families[name]?[labels] {
                guard let known = known as? Series else {
                    preconditionFailure("\(name) is two kinds of metric")
                }
                return known
            }
            let new = make()
            families[name, default: [:]][labels] = new
            return new
        }
    }

    private static func escaped(_ value: String) -> String {
        value.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")
            .replacing("\n", with: "\\n")
    }

    func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        series(label, dimensions, CounterSeries())
    }

    func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
        series(label, dimensions, Gauge())
    }

    func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
        series(label, dimensions, Histogram())
    }

    // The services have none.
    func makeRecorder(
        label: String, dimensions: [(String, String)], aggregate: Bool
    ) -> any RecorderHandler {
        NOOPMetricsHandler.instance
    }

    // All are kept: a counter that disappears and comes back would look like a restart.
    func destroyCounter(_ handler: any CounterHandler) {}
    func destroyMeter(_ handler: any MeterHandler) {}
    func destroyTimer(_ handler: any TimerHandler) {}
    func destroyRecorder(_ handler: any RecorderHandler) {}
}

/// One metric with one set of labels.
private protocol PrometheusSeries: AnyObject, Sendable {
    var kind: String { get }
    func write(name: String, labels: String, to text: inout String)
}

extension PrometheusSeries {
    func line(_ name: String, _ labels: String, _ value: some CustomStringConvertible) -> String {
        "\(name)\(labels.isEmpty ? "" : "{\(labels)}") \(value)\n"
    }
}

private final class CounterSeries: PrometheusSeries, CounterHandler {
    let kind = "counter"
    private let value = Atomic<Int64>(0)

    func increment(by amount: Int64) { value.wrappingAdd(amount, ordering: .relaxed) }

    func reset() { value.store(0, ordering: .relaxed) }

    func write(name: String, labels: String, to text: inout String) {
        text += line(name, labels, value.load(ordering: .relaxed))
    }
}

private final class Gauge: PrometheusSeries, MeterHandler {
    let kind = "gauge"
    // The bits of a Double.
    private let bits = Atomic<UInt64>(0)

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
        text += line(name, labels, Double(bitPattern: bits.load(ordering: .relaxed)))
    }
}

/// A histogram of lengths of time, in seconds.
private final class Histogram: PrometheusSeries, TimerHandler {
    let kind = "histogram"

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
