import Logging
import MicroHTTPD
import ServiceLifecycle

var router = Router { error in Response(status: error.status) }
router.get("/hello") { _ in Response(body: Array("Hello\n".utf8)) }
router.get("/later") { _ in
    try await Task.sleep(for: .seconds(1))
    return Response(body: Array("Hello, a second later\n".utf8))
}
let logger = Logger(label: "hello")
let server = try Server(.init(port: 8088), router: router, logger: logger)
try await ServiceGroup(
    services: [server], gracefulShutdownSignals: [.sigterm, .sigint], logger: logger
).run()
