internal import Synchronization

/// The latest requests, and the streams that receive each new one.
struct RequestLog: Sendable {
  private let recordsMax: Int
  private var kept: [SandboxRequestRecord] = []
  private var number = 0
  private let listeners = RequestListeners()

  init(recordsMax: Int) { self.recordsMax = max(0, recordsMax) }

  /// The latest requests, the oldest first.
  var records: [SandboxRequestRecord] { Array(kept.suffix(recordsMax)) }

  /// Adds the record that `make` makes of its number; drops the oldest if there are too many.
  mutating func add(_ make: (Int) -> SandboxRequestRecord) -> SandboxRequestRecord {
    number += 1
    let record = make(number)
    kept.append(record)
    // Drops in bulk, so that a full log costs no more than a short one.
    if kept.count > 2 * recordsMax { kept.removeFirst(kept.count - recordsMax) }
    listeners.append(record)
    return record
  }

  /// Streams every record from now on.
  func stream() -> AsyncStream<SandboxRequestRecord> { listeners.stream() }
}

/// The streams that were asked for and are still read.
private final class RequestListeners: Sendable {
  private let continuations = Mutex<[Int: AsyncStream<SandboxRequestRecord>.Continuation]>([:])

  func append(_ record: SandboxRequestRecord) {
    let continuations = continuations.withLock { Array($0.values) }
    for continuation in continuations { continuation.yield(record) }
  }

  func stream() -> AsyncStream<SandboxRequestRecord> {
    let (stream, continuation) = AsyncStream<SandboxRequestRecord>.makeStream()
    let id = continuations.withLock { continuations in
      let id = (continuations.keys.max() ?? 0) + 1
      continuations[id] = continuation
      return id
    }
    continuation.onTermination = { [weak self] _ in
      self?.continuations.withLock { continuations in _ = continuations.removeValue(forKey: id) }
    }
    return stream
  }

  deinit {
    for continuation in continuations.withLock({ Array($0.values) }) { continuation.finish() }
  }
}
