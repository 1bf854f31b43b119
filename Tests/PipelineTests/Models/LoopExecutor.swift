import Dispatch

/// Runs every job of the loops on one thread, and knows when none is left: then they all wait for the clock, for a
/// signal, or for what the models have under way.
final class LoopExecutor: TaskExecutor {
  private let queue = DispatchQueue(label: "loops")
  private let activity: Activity

  init(_ activity: Activity) { self.activity = activity }

  func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    activity.beginJob()
    queue.async {
      unsafe job.runSynchronously(on: self.asUnownedTaskExecutor())
      self.activity.endJob()
    }
  }
}
