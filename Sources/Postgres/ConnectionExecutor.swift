import Dispatch

/// Runs an actor's jobs one after another on a dispatch queue, so that libpq may block there and no thread of the
/// cooperative pool is ever held up. (`DispatchSerialQueue`, which does the same on Darwin, is missing on Linux.)
final class ConnectionExecutor: SerialExecutor {
  private let queue: DispatchQueue

  init(label: String) { queue = DispatchQueue(label: label) }

  func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    queue.async {
      // A job is run exactly once, here, as SerialExecutor.enqueue(_:) demands.
      unsafe job.runSynchronously(on: self.asUnownedSerialExecutor())
    }
  }

  /// Runs work that is no actor's, such as connecting.
  func perform(_ work: @escaping @Sendable () -> Void) { queue.async(execute: work) }

  func checkIsolated() { dispatchPrecondition(condition: .onQueue(queue)) }
}
