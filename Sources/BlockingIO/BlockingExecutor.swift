import Dispatch

/// Runs an actor's jobs one after another on a dispatch queue of its own, for actors whose calls block: on the
/// cooperative pool they would hold up its few threads. (`DispatchSerialQueue`, which does the same on Darwin, is
/// missing on Linux.)
public final class BlockingExecutor: SerialExecutor {
  private let queue: DispatchQueue

  /// Makes an executor whose queue has a name for debuggers.
  public init(label: String) { queue = DispatchQueue(label: label) }

  /// Puts a job behind those that wait already.
  public func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    queue.async {
      // A job is run exactly once, here, as SerialExecutor.enqueue(_:) demands.
      unsafe job.runSynchronously(on: self.asUnownedSerialExecutor())
    }
  }

  /// Runs work that is no actor's, such as connecting.
  public func perform(_ work: @escaping @Sendable () -> Void) { queue.async(execute: work) }

  /// Traps unless the caller runs on this executor's queue.
  public func checkIsolated() { dispatchPrecondition(condition: .onQueue(queue)) }
}
