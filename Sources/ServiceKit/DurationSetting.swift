extension Setting where Value == Duration {
    /// A setting whose value is a number and a unit, such as `250ms`, `1.5s` or `1m`.
    public init(_ flag: String, _ variable: String, atLeast minimum: Duration) {
        let least = minimum == .zero ? "" : ", at least \(Int(minimum / .milliseconds(1)))ms"
        self.init(
            flag, variable, takes: "a number and a unit (ms, s or m)\(least) and at most 1440m"
        ) { text in
            let units: [(String, Double)] = [("ms", 0.001), ("s", 1), ("m", 60)]
            guard let (unit, seconds) = units.first(where: { text.hasSuffix($0.0) }) else {
                return nil
            }
            let number = text.dropLast(unit.count)
            // Double would take "1e3", "0x10", "inf" and "-1" too.
            guard number.utf8.allSatisfy({ "0123456789.".utf8.contains($0) }),
                let count = Double(number), count * seconds <= 1440 * 60
            else { return nil }
            let duration = Duration.seconds(count * seconds)
            return duration < minimum ? nil : duration
        }
    }
}
