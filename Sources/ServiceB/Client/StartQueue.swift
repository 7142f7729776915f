import Dispatch
import Foundation

/// The queue on which calls are started.
///
/// `URLSession` works on one queue of its own, and `dataTask` and `resume` wait for it, so that
/// neither libmicrohttpd's thread nor a deadline may call them.
struct StartQueue: Sendable {
    private let queue = DispatchQueue(label: "starting")

    /// Runs `work` on the queue, after what was given to it before.
    func async(_ work: @escaping @Sendable () -> Void) {
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
