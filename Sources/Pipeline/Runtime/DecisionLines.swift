import Conversions
import Logging
public import ServiceLifecycle
import Synchronization

/// Limits the lines about single orders to so many a minute, and counts the others in one line each minute: the journal
/// drops what comes faster than its own limit, and errors with it.
public final class DecisionLines: Sendable {
  /// The most lines about single orders in a minute.
  static let linesMax = 100
  /// The length of such a minute.
  static let interval = Duration.seconds(60)

  private struct Minute {
    var beganAt: Duration?
    var lines = 0
    /// Lines about orders that need a person, which the others must not crowd out.
    var reviews = 0
    /// The orders without a line, by the outcome that they came to.
    var counts: [Outcome: Int] = [:]
  }

  private let minute = Mutex(Minute())

  /// Begins without a line.
  public init() {}

  /// Returns true if an order that came to an outcome has a line of its own; counts it elsewhere.
  func mayWrite(_ outcome: Outcome, at uptime: Duration, log: Logger) -> Bool {
    writeSummary(at: uptime, log: log)
    return minute.withLock { minute in
      if minute.beganAt == nil { minute.beganAt = uptime }
      let written = outcome == .review ? minute.reviews : minute.lines
      guard written < Self.linesMax else {
        minute.counts[outcome, default: 0] += 1
        return false
      }
      if outcome == .review { minute.reviews += 1 } else { minute.lines += 1 }
      return true
    }
  }

  /// Writes the counts of a minute that is over, or of the one that the daemon ends in.
  func writeSummary(at uptime: Duration, isEnd: Bool = false, log: Logger) {
    let counts = minute.withLock { minute -> [Outcome: Int] in
      guard let beganAt = minute.beganAt, isEnd || uptime - beganAt >= Self.interval else { return [:] }
      defer { minute = Minute() }
      return minute.counts
    }
    guard !counts.isEmpty else { return }
    let parts = Outcome.allCases.compactMap { outcome in counts[outcome].map { "\($0) \(outcome.rawValue)" } }
    let people = counts[.review].map { "; \($0) need a person: conversiond queue list --state review" } ?? ""
    log.event(
      .decisions, counts[.review] == nil ? .info : .error,
      "\(counts.values.reduce(0, +)) more orders were decided in a minute, too many for a line each: "
        + "\(parts.joined(separator: ", "))\(people)",
      ["orders": String(counts.values.reduce(0, +))])
  }
}

/// The loop that writes the counts of each minute.
public struct DecisionSummaries: Service {
  private let context: PipelineContext

  /// Writes what the context's loops have counted.
  public init(_ context: PipelineContext) { self.context = context }

  /// Writes until a graceful shutdown begins, and once more then.
  public func run() async throws {
    await cancelWhenGracefulShutdown {
      while !Task.isCancelled {
        try? await context.clock.sleep(for: DecisionLines.interval)
        context.decisionLines.writeSummary(at: context.clock.uptime, isEnd: Task.isCancelled, log: context.log)
      }
    }
  }
}
