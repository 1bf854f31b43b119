public import Conversions
public import Logging
public import Pipeline
import Synchronization
import Systemd

/// A log that keeps its lines.
public struct CapturedLog: LogHandler {
  /// One line.
  public struct Line: Sendable {
    /// The severity.
    public let level: Logger.Level
    /// The value of `event`.
    public let event: String?
    /// The message's text.
    public let message: String
    /// The value of `reason`.
    public let reason: String?
    /// All of its fields.
    public var fields: [String: String] { metadata.mapValues { "\($0)" } }
    fileprivate let metadata: Logger.Metadata
    /// The time at which it was written, where the log has a clock.
    public let uptime: Duration?
  }

  /// The lines so far, for all copies of the handler.
  public final class Lines: Sendable {
    private let lines = Mutex<[Line]>([])
    private let lacking = Mutex<[String]>([])

    /// None.
    public init() {}

    func append(_ line: Line) { lines.withLock { $0.append(line) } }
    /// All of them.
    public var all: [Line] { lines.withLock { $0 } }
    /// Events that lacked a field which the catalog promises, each with what it lacked.
    public var incomplete: [String] { lacking.withLock { $0 } }
    func note(lack: String) { lacking.withLock { $0.append(lack) } }
    /// Those of some events.
    public func of(_ events: JournalEvent...) -> [Line] { all.filter { events.map(\.rawValue).contains($0.event) } }
  }

  /// The lines that were logged.
  public let lines: Lines
  /// Everything.
  public var logLevel = Logger.Level.trace
  /// The clock that dates its lines.
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
    if let metadata = event.metadata, let name = metadata["event"].map({ "\($0)" }) {
      for key in EventCatalog.keys(of: name) where metadata[key] == nil {
        lines.note(lack: "\(name) lacks \(key): \(event.message)")
      }
    }
    lines.append(
      Line(
        level: event.level, event: event.metadata?["event"].map { "\($0)" }, message: "\(event.message)",
        reason: event.metadata?["reason"].map { "\($0)" },
        metadata: event.metadata ?? [:], uptime: clock?.uptime))
  }
}
