import Glibc
import Testing

@testable import ServiceKit

@Suite struct DescriptorLimitTests {
    @Test func `The limit of open files is raised to the hard one`() {
        let files = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        var limit = rlimit()
        #expect(unsafe getrlimit(files, &limit) == 0)
        let hard = limit.rlim_max
        limit.rlim_cur = hard - 1
        #expect(unsafe setrlimit(files, &limit) == 0)
        #expect(DescriptorLimit.raise() == hard)
        #expect(unsafe getrlimit(files, &limit) == 0)
        #expect(limit.rlim_cur == hard)
    }
}
