import CTestInterposer

/// Whether this is a build for ThreadSanitizer, in which everything takes many times as long.
package let isSanitized = cti_is_sanitized()

/// A limit of time for what takes less in any other build.
package func patience(_ limit: Duration) -> Duration {
    isSanitized ? limit * 20 : limit
}
