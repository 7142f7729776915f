import HTTPTypes
import MicroHTTPD
import ServiceKit

/// A page to watch the calls on: one document, put together from page.html, page.css and page.js.
enum Page {
    /// The page of a service whose calls may take as long as `deadline`.
    static func response(deadline: Duration) -> Response {
        let html = String(decoding: PackageResources.page_html, as: UTF8.self)
        let style = String(decoding: PackageResources.page_css, as: UTF8.self)
        let script = String(decoding: PackageResources.page_js, as: UTF8.self)
        let document =
            html
            .replacing(#"deadline="2000""#, with: #"deadline="\#(deadline.textInMilliseconds)""#)
            .replacing(#"<link rel="stylesheet" href="page.css">"#, with: "<style>\(style)</style>")
            .replacing(#" src="page.js"></script>"#, with: ">\(script)</script>")
        return Response(
            headerFields: [
                .contentType: "text/html; charset=utf-8",
                .contentSecurityPolicy: """
                default-src 'none'; connect-src 'self'; img-src data:; \
                style-src '\(styleHash)'; script-src '\(scriptHash)'; \
                base-uri 'none'; form-action 'none'; frame-ancestors 'none'
                """,
            ],
            body: Array(document.utf8))
    }

    // Written by scripts/page-hashes.
    private static let styleHash = "sha256-2//6cHGtUc8PzXQElOzRBM+ZI5RQr/jBSLVr1iGSPwk="
    private static let scriptHash = "sha256-m2EKQE1cTxF3573mMaaJHiov/WhYYoHLWkB4op4xpRo="
}
