import Logging
import Pipeline
import Synchronization

/// A log that keeps its lines.
struct CapturedLog: LogHandler {
  struct Line: Sendable {
    let level: Logger.Level
    let event: String?
    let message: String
    let reason: String?
  }

  final class Lines: Sendable {
    private let lines = Mutex<[Line]>([])

    func append(_ line: Line) { lines.withLock { $0.append(line) } }
    var all: [Line] { lines.withLock { $0 } }
    func of(_ events: Event...) -> [Line] { all.filter { events.map(\.rawValue).contains($0.event) } }
  }

  let lines: Lines
  var logLevel = Logger.Level.trace
  var metadata: Logger.Metadata = [:]

  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  func log(event: LogEvent) {
    lines.append(
      Line(
        level: event.level, event: event.metadata?["event"].map { "\($0)" }, message: "\(event.message)",
        reason: event.metadata?["reason"].map { "\($0)" }))
  }
}
