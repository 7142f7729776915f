import HTTPTypes
import Tracing

/// The span of one exchange, where the server has a tracer.
final class ServerSpan: Sendable {
    private let span: any Span

    /// Where the span is in its trace, if the tracer uses the W3C's format.
    let traceContext: TraceContext?

    /// The `ServiceContext.current` of the handler's task.
    var context: ServiceContext { span.context }

    /// Starts a span that continues the request's trace.
    init(_ tracer: any Tracer, _ head: RequestHead) {
        var context = ServiceContext.topLevel
        tracer.extract(head.headerSection.fields, into: &context, using: FieldExtractor())
        let method = head.method ?? .unknown
        span = tracer.startSpan(method.rawValue, context: context, ofKind: .server)
        var section = HeaderSection()
        tracer.inject(span.context, into: &section, using: FieldInjector())
        traceContext = TraceContext(section)
    }

    /// Ends the span, with OpenTelemetry's names for its attributes.
    func end(_ record: AccessRecord) {
        span.operationName = "\(record.request.method) \(record.route ?? "unmatched")"
        span.updateAttributes { attributes in
            attributes["http.request.method"] = record.request.method.rawValue
            attributes["http.response.status_code"] = record.code
            attributes["http.route"] = record.route
        }
        if record.code >= 500 { span.setStatus(SpanStatus(code: .error)) }
        span.end()
    }
}

private struct FieldExtractor: Extractor {
    func extract(key: String, from fields: HTTPFields) -> String? {
        HTTPField.Name(key).flatMap { fields[$0] }
    }
}

private struct FieldInjector: Injector {
    func inject(_ value: String, forKey key: String, into section: inout HeaderSection) {
        section.append(key.utf8, value.utf8)
    }
}
