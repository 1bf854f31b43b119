public import Conversions
public import Logging
public import Pipeline
import Synchronization

/// A log that keeps its lines.
public struct CapturedLog: LogHandler {
  /// One line.
  public struct Line: Sendable {
    /// How much it matters.
    public let level: Logger.Level
    /// The value of `event`.
    public let event: String?
    /// The words.
    public let message: String
    /// The value of `reason`.
    public let reason: String?
    /// When it was written, where the log has a clock.
    public let uptime: Duration?
  }

  /// The lines so far, for all copies of the handler.
  public final class Lines: Sendable {
    private let lines = Mutex<[Line]>([])

    /// None.
    public init() {}

    func append(_ line: Line) { lines.withLock { $0.append(line) } }
    /// All of them.
    public var all: [Line] { lines.withLock { $0 } }
    /// Those of some events.
    public func of(_ events: Event...) -> [Line] { all.filter { events.map(\.rawValue).contains($0.event) } }
  }

  /// What was logged.
  public let lines: Lines
  /// Everything.
  public var logLevel = Logger.Level.trace
  /// By which its lines are dated.
  public var clock: (any HostClock)?
  /// Fields of every line.
  public var metadata: Logger.Metadata = [:]

  /// A handler that adds to `lines`.
  public init(lines: Lines, clock: (any HostClock)? = nil) { (self.lines, self.clock) = (lines, clock) }

  /// One of the fields of every line.
  public subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  /// Keeps a line.
  public func log(event: LogEvent) {
    lines.append(
      Line(
        level: event.level, event: event.metadata?["event"].map { "\($0)" }, message: "\(event.message)",
        reason: event.metadata?["reason"].map { "\($0)" }, uptime: clock?.uptime))
  }
}
