import Metrics
import Testing

@testable import ServiceKit

@Suite struct PrometheusMetricsTests {
    @Test func `Counters, gauges and histograms are exact under concurrency`() async {
        let metrics = PrometheusMetrics(help: ["a_total": "Some."])
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    let counter = Counter(label: "a_total", factory: metrics)
                    let gauge = Meter(label: "b", factory: metrics)
                    let timer = Timer(label: "c_seconds", factory: metrics)
                    for round in 0..<10_000 {
                        counter.increment()
                        gauge.increment()
                        if round % 2 == 0 { gauge.decrement() }
                        timer.recordNanoseconds(250_000 + Int64(round % 2))
                    }
                }
            }
        }
        let lines = metrics.text.split(separator: "\n")
        #expect(lines.starts(with: ["# HELP a_total Some.", "# TYPE a_total counter"]))
        for line in [
            "a_total 80000", "b 40000.0", "c_seconds_bucket{le=\"0.0001\"} 0",
            "c_seconds_bucket{le=\"0.00025\"} 40000", "c_seconds_bucket{le=\"0.0005\"} 80000",
            "c_seconds_bucket{le=\"+Inf\"} 80000", "c_seconds_count 80000",
        ] {
            #expect(lines.contains(Substring(line)))
        }
    }

    @Test func `The value of a label cannot end its line`() {
        let metrics = PrometheusMetrics(help: [:])
        Counter(label: "a", dimensions: [("z", "1"), ("b", "\"\\\n")], factory: metrics).increment()
        #expect(metrics.text == "# TYPE a counter\na{b=\"\\\"\\\\\\n\",z=\"1\"} 1\n")
    }

    @Test func `One name with the same labels in another order is one series`() {
        let metrics = PrometheusMetrics(help: [:])
        Counter(label: "a", dimensions: [("b", "1"), ("c", "2")], factory: metrics).increment()
        Counter(label: "a", dimensions: [("c", "2"), ("b", "1")], factory: metrics).increment()
        #expect(metrics.text == "# TYPE a counter\na{b=\"1\",c=\"2\"} 2\n")
    }
}
