import Dispatch

/// Runs an actor's jobs one after the other on a dispatch queue, for actors whose calls block: on the cooperative pool
/// they would block its few threads.
final class BlockingExecutor: SerialExecutor {
  private let queue: DispatchQueue

  /// Makes an executor with a queue of its own, named for debuggers.
  init(label: String) { queue = DispatchQueue(label: label) }

  func enqueue(_ job: consuming ExecutorJob) {
    let unowned = UnownedJob(job)
    queue.async { unsafe unowned.runSynchronously(on: self.asUnownedSerialExecutor()) }
  }

  func asUnownedSerialExecutor() -> UnownedSerialExecutor { unsafe UnownedSerialExecutor(ordinary: self) }
}
