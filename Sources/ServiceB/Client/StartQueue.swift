import Dispatch
import Foundation

#if canImport(CFoundationNetworkingFixes)
    import CFoundationNetworkingFixes
#endif

/// The queue on which calls are started.
///
/// `URLSession` works on one queue of its own, and `dataTask` and `resume` wait for it, so that
/// neither libmicrohttpd's thread nor a deadline may call them. With CFoundationNetworkingFixes
/// calls are started on that queue itself, where nothing has to wait; or else on this one.
struct StartQueue: Sendable {
    private let queue = DispatchQueue(label: "starting")

    /// Makes the queue.
    init() {
        // So that CFoundationNetworkingFixes sees whether Swift's calls of dispatch_sync come by it.
        queue.sync {}
    }

    /// Runs `work` on the queue, after what was given to it before.
    func async(_ work: @escaping @Sendable () -> Void) {
        #if canImport(CFoundationNetworkingFixes)
            if cfnf_async(work) { return }
        #endif
        queue.async(execute: work)
    }
}

/// Runs operations where they are added.
///
/// `URLSession` has those for its delegate run on the queue that it itself works on, which is
/// serial. Nothing of ours there calls `URLSession` or waits.
final class InPlace: OperationQueue, @unchecked Sendable {
    // @unchecked: the superclass is, and this has nothing of its own.
    override func addOperation(_ block: @escaping @Sendable () -> Void) { block() }
}
