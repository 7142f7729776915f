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
                    for (suffix, label, value) in series.samples {
                        let all = [labels, label].filter { !$0.isEmpty }.joined(separator: ",")
                        text += "\(name)\(suffix)\(all.isEmpty ? "" : "{\(all)}") \(value)\n"
                    }
                }
            }
            return text
        }
    }

    /// The series of this name and these labels, the same one each time.
    private func series<Series: PrometheusSeries>(
        _ name: String, _ labels: [(String, String)]
    ) -> Series {
        let labels = labels.sorted { $0.0 < $1.0 }.map { label, value in
            let escaped = value.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")
                .replacing("\n", with: "\\n")
            return "\(label)=\"\(escaped)\""
        }.joined(separator: ",")
        return families.withLock { families in
            if let known = families[name]?[labels] as? Series { return known }
            let new = Series()
            let old = families[name, default: [:]].updateValue(new, forKey: labels)
            precondition(old == nil, "\(name) is two kinds of metric")
            return new
        }
    }

    func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        series(label, dimensions) as CounterSeries
    }

    func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
        series(label, dimensions) as Gauge
    }

    func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
        series(label, dimensions) as Histogram
    }

    // The services have none.
    func makeRecorder(
        label: String, dimensions: [(String, String)], aggregate: Bool
    ) -> any RecorderHandler {
        NOOPMetricsHandler.instance
    }

    // All are kept: a counter that disappears and comes back would look like a restart.
    func destroyCounter(_ handler: any CounterHandler) {}
    func destroyTimer(_ handler: any TimerHandler) {}
    func destroyRecorder(_ handler: any RecorderHandler) {}
}

/// One metric with one set of labels.
private protocol PrometheusSeries: AnyObject, Sendable {
    typealias Sample = (suffix: String, label: String, value: any CustomStringConvertible)

    init()

    var kind: String { get }

    /// Its values, each with what is appended to the name and the labels.
    var samples: [Sample] { get }
}

private final class CounterSeries: PrometheusSeries, CounterHandler {
    let kind = "counter"
    private let value = Atomic<Int64>(0)

    func increment(by amount: Int64) { value.wrappingAdd(amount, ordering: .relaxed) }

    func reset() { value.store(0, ordering: .relaxed) }

    var samples: [Sample] { [("", "", value.load(ordering: .relaxed))] }
}

private final class Gauge: PrometheusSeries, MeterHandler {
    let kind = "gauge"
    private let value = Atomic(0.0)

    func set(_ value: Int64) { set(Double(value)) }

    func set(_ value: Double) { self.value.store(value, ordering: .relaxed) }

    func increment(by amount: Double) {
        while case let old = value.load(ordering: .relaxed),
            !value.weakCompareExchange(
                expected: old, desired: old + amount, ordering: .relaxed
            ).exchanged
        {}
    }

    func decrement(by amount: Double) { increment(by: -amount) }

    var samples: [Sample] { [("", "", value.load(ordering: .relaxed))] }
}

private final class Histogram: PrometheusSeries, TimerHandler {
    let kind = "histogram"

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

    var samples: [Sample] {
        var samples: [Sample] = []
        var count = 0
        for (index, bound) in (Self.bounds.map { "\($0)" } + ["+Inf"]).enumerated() {
            count += counts[index].load(ordering: .relaxed)
            samples.append(("_bucket", "le=\"\(bound)\"", count))
        }
        let sum = Double(nanoseconds.load(ordering: .relaxed)) / 1e9
        return samples + [("_sum", "", sum), ("_count", "", count)]
    }
}
