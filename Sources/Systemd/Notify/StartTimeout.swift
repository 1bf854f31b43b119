/// Keeps the service manager from ending a start that takes long, such as a ledger's migration: it kills one that is not
/// ready within TimeoutStartSec=, and the next start would begin the same work anew.
public struct StartTimeout: Sendable {
  /// The time that is asked for each time.
  public let step: Duration
  /// The time between two requests.
  public let interval: Duration
  private let send: @Sendable (Duration) -> Void

  /// Asks the service manager for half a minute every ten seconds, and tells it what the start is at.
  public init(status: String) {
    self.init(step: .seconds(30), interval: .seconds(10)) { ServiceNotifier.extendTimeout(by: $0, status: status) }
  }

  init(step: Duration, interval: Duration, send: @escaping @Sendable (Duration) -> Void) {
    (self.step, self.interval, self.send) = (step, interval, send)
  }

  /// Asks for more time at once, and again and again until the work has ended.
  ///
  /// - Throws: The work's failure.
  public func extended<Value: Sendable>(_ work: @Sendable () async throws -> Value) async throws -> Value {
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask {
        while !Task.isCancelled {
          send(step)
          try await Task.sleep(for: interval)
        }
      }
      defer { group.cancelAll() }
      return try await work()
    }
  }
}
