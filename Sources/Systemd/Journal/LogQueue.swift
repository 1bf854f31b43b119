internal import Dispatch
private import Foundation
private import Glibc
internal import Synchronization

/// A bounded queue with one thread that writes what is in it.
///
/// Putting something in never waits for the writing. A record that does not fit is counted, and one line says how many
/// were lost once the reader is back: from the first record lost until half of the queue is free, everything is
/// dropped, so that the gap is in one place.
final class LogQueue<Record: Sendable>: Sendable {
  /// The functions that measure, make and write a record.
  struct Work: Sendable {
    /// The bytes that a record takes in memory.
    var size: @Sendable (Record) -> Int
    /// The record that says how many were lost.
    var gap: @Sendable (Int) -> Record
    /// Writes a record, for as long as it takes; false where it is lost.
    var write: @Sendable (Record) -> Bool
  }

  fileprivate struct Entry {
    var record: Record
    var size: Int
    /// The number of lost records that it stands for; nil for a record of its own.
    var gap: Int?
  }

  fileprivate struct State {
    var entries: [Entry] = []
    /// Entries before it are written.
    var head = 0
    /// The bytes of what is not written, the one being written included.
    var bytes = 0
    var isDropping = false
    var dropped = 0
    var droppedTotal = 0
    var isAsleep = false
    var isClosed = false
    var waiters: [DispatchSemaphore] = []

    var count: Int { entries.count - head }
  }

  /// The state that the thread and the queue share; the thread ends some time after the queue is gone.
  fileprivate final class Shared: Sendable {
    let state = Mutex(State())
    let wake = DispatchSemaphore(value: 0)
    let limits: LogLimits
    let work: Work

    init(limits: LogLimits, work: Work) {
      self.limits = limits
      self.work = work
    }
  }

  private let shared: Shared

  init(name: String, limits: LogLimits, work: Work) {
    let shared = Shared(limits: limits, work: work)
    self.shared = shared
    let thread = Thread { shared.run() }
    thread.name = name
    thread.stackSize = 512 << 10
    thread.start()
  }

  deinit {
    shared.state.withLock { $0.isClosed = true }
    shared.wake.signal()
  }

  /// The number of records that were lost since the beginning.
  var droppedCount: Int { shared.state.withLock { $0.droppedTotal } }

  /// Puts a record in the queue, or counts it as lost.
  func put(_ record: Record) {
    let size = shared.work.size(record)
    let wakes = shared.state.withLock { state -> Bool in
      if state.count >= shared.limits.records || state.bytes + size > shared.limits.bytes { state.isDropping = true }
      guard !state.isDropping else {
        state.dropped += 1
        state.droppedTotal += 1
        return false
      }
      state.entries.append(Entry(record: record, size: size, gap: nil))
      state.bytes += size
      defer { state.isAsleep = false }
      return state.isAsleep
    }
    if wakes { shared.wake.signal() }
  }

  /// Waits until everything is written, at most for `timeout`; false where something is left.
  func flush(timeout: Duration) -> Bool {
    let done = DispatchSemaphore(value: 0)
    let isIdle = shared.state.withLock { state -> Bool in
      if state.isAsleep, state.count == 0 { return true }
      state.waiters.append(done)
      return false
    }
    let (seconds, attoseconds) = min(timeout, .seconds(86_400)).components
    let nanoseconds = Int(seconds) * 1_000_000_000 + Int(attoseconds / 1_000_000_000)
    return isIdle || done.wait(timeout: .now() + .nanoseconds(nanoseconds)) == .success
  }
}

extension LogQueue.Shared {
  /// The thread: writes until the queue is gone and empty.
  func run() {
    blockSignals()
    while true {
      while let entry = next() { finish(entry, isWritten: work.write(entry.record)) }
      if state.withLock({ $0.isClosed && $0.count == 0 }) { return }
      wake.wait()
    }
  }

  /// The daemon's signals are for its other threads, and a closed pipe is an error here, not the end (signal(7)).
  private func blockSignals() {
    var all = sigset_t()
    unsafe sigfillset(&all)
    unsafe pthread_sigmask(SIG_BLOCK, &all, nil)
  }

  private func next() -> LogQueue.Entry? {
    let (entry, waiters) = state.withLock { state -> (LogQueue.Entry?, [DispatchSemaphore]) in
      if state.count > 0 { return (state.entries[state.head], []) }
      state.isAsleep = true
      defer { state.waiters = [] }
      return (nil, state.waiters)
    }
    for waiter in waiters { waiter.signal() }
    return entry
  }

  private func finish(_ entry: LogQueue.Entry, isWritten: Bool) {
    state.withLock { state in
      state.head += 1
      state.bytes -= entry.size
      if state.head == state.entries.count || state.head >= 1_024 {
        state.entries.removeFirst(state.head)
        state.head = 0
      }
      if !isWritten {
        state.dropped += entry.gap ?? 1
        state.droppedTotal += entry.gap == nil ? 1 : 0
      }
      guard state.count <= limits.records / 2, state.bytes <= limits.bytes / 2 else { return }
      state.isDropping = false
      guard isWritten, state.dropped > 0 else { return }
      let record = work.gap(state.dropped)
      let gap = LogQueue.Entry(record: record, size: work.size(record), gap: state.dropped)
      state.entries.append(gap)
      state.bytes += gap.size
      state.dropped = 0
    }
  }
}
