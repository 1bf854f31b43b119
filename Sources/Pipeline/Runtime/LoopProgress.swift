import Synchronization

/// The loops that must go on, by their work in words.
public enum WatchedLoop: String, Sendable, CaseIterable {
  /// Intake.
  case readingOrders = "reading orders"
  /// The listener.
  case listening = "listening to the shop"
  /// The mirror.
  case readingReferrals = "reading referrals"
  /// Matching.
  case decidingOrders = "deciding orders"
  /// Delivery.
  case delivery
  /// Retention.
  case removingEntries = "removing old entries"
  /// The look at the rows of reported orders.
  case lookingAtReported = "looking at reported orders"

  /// The time for which it may be in one step without a rest, ten minutes at least. A step does a page, a batch or an order;
  /// the upkeep's may be of every order that was reported in two months.
  public var deadline: Duration {
    switch self {
    case .readingOrders, .listening, .readingReferrals, .decidingOrders, .delivery: .seconds(600)
    case .removingEntries, .lookingAtReported: .seconds(1800)
    }
  }
}

/// The steps that each loop has begun, and whether it rests: a loop that is stuck in one step is noticed by it.
///
/// A rest is whatever ends by a limit of its own, or waits for work: a sleep, a signal, a request to the API, a notice of
/// the shop's. The rest, the ledger, the shop's database and the daemon's own code, must let a step end.
public final class LoopProgress: Sendable {
  /// The progress of one loop.
  public struct Loop: Sendable, Hashable {
    /// The number of steps and rests that it has begun or ended.
    public var marks: UInt64 = 0
    /// The number of rests that are under way in it.
    public var rests = 0

    /// Makes progress from its values.
    public init(marks: UInt64 = 0, rests: Int = 0) { (self.marks, self.rests) = (marks, rests) }
  }

  /// The loop that the current task works for.
  @TaskLocal private static var current: (progress: LoopProgress, name: WatchedLoop)?

  private let loops = Mutex<[WatchedLoop: Loop]>([:])

  /// Begins without any loop.
  public init() {}

  /// Returns the progress of every loop that runs.
  public func snapshot() -> [WatchedLoop: Loop] { loops.withLock { $0 } }

  /// Runs a loop; forgets it at its end.
  func run(_ name: WatchedLoop, _ loop: () async -> Void) async {
    mark(name)
    await Self.$current.withValue((self, name)) { await loop() }
    loops.withLock { _ = $0.removeValue(forKey: name) }
  }

  /// Notes that a loop begins a step.
  func mark(_ name: WatchedLoop) { loops.withLock { $0[name, default: Loop()].marks += 1 } }

  /// Runs what needs no watching.
  static func rest<Value>(_ body: () async throws -> Value) async rethrows -> Value {
    guard let current else { return try await body() }
    current.progress.change(current.name, rests: 1)
    defer { current.progress.change(current.name, rests: -1) }
    return try await body()
  }

  private func change(_ name: WatchedLoop, rests: Int) {
    loops.withLock { loops in
      guard loops[name] != nil else { return }
      loops[name]?.marks += 1
      loops[name]?.rests += rests
    }
  }
}

/// Finds loops that are stuck, by looks at their progress.
public struct StallWatch: Sendable {
  /// The most that one look adds: a host that was asleep, or stopped, kept every loop from going on.
  private static let lookMax = Duration.seconds(30)

  private var lookedAt: Duration?
  private var loops: [WatchedLoop: (seen: LoopProgress.Loop, stuckFor: Duration)] = [:]

  /// Begins without a look.
  public init() {}

  /// Takes in a look at an uptime; returns the loops that are stuck.
  public mutating func look(_ progress: [WatchedLoop: LoopProgress.Loop], at uptime: Duration) -> [WatchedLoop] {
    let elapsed = lookedAt.map { min(max(uptime - $0, .zero), Self.lookMax) } ?? .zero
    lookedAt = uptime
    loops = progress.reduce(into: [:]) { known, loop in
      let former = loops[loop.key]
      let isStill = former?.seen == loop.value && loop.value.rests == 0
      known[loop.key] = (loop.value, isStill ? (former?.stuckFor ?? .zero) + elapsed : .zero)
    }
    return WatchedLoop.allCases.filter { loop in loops[loop].map { $0.stuckFor >= loop.deadline } ?? false }
  }
}
