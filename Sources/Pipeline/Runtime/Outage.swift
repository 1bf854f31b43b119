import Conversions
import Logging
import Synchronization

/// Logs an outage in few lines: one when it begins, a summary every 15 minutes, one when it ends.
struct Outage {
  static let summaryInterval = Duration.seconds(900)

  private(set) var failures = 0
  private(set) var since: Duration?
  /// The uptime at which the last line was written; nil while another loop logs the outage.
  private var lastLine: Duration?
  private var last: (message: String, level: Logger.Level, fields: [String: String?]) = ("", .warning, [:])
  /// The events that were logged since it began, each to be followed by its end.
  private var logged: [JournalEvent] = []
  /// True while only a person can end it, as far as the last failure tells.
  private var isHalt = false
  private let failed: JournalEvent
  private let recovered: JournalEvent
  private let subject: String
  private let reporter: OutageReporter?

  /// An outage of `subject`, such as "reading orders", that hasn't begun; not logged while another one that shares the
  /// reporter is.
  init(of subject: String, failed: JournalEvent, recovered: JournalEvent, reporter: OutageReporter? = nil) {
    self.subject = subject
    self.failed = failed
    self.recovered = recovered
    self.reporter = reporter
  }

  /// The uptime at which the next summary is due; nil while there is none to come.
  var nextLine: Duration? { lastLine.map { $0 + Self.summaryInterval } }

  /// Counts a failure, and tells of it when it is the first or a summary is due; also when it turns into a halt of the
  /// API's, which only a person ends, as `api_halted`.
  mutating func fail(
    _ message: String, level: Logger.Level = .warning, isHalt: Bool = false, at uptime: Duration, log: Logger,
    fields: [String: String?] = [:]
  ) {
    failures += 1
    last = (message, level, fields)
    self.isHalt = isHalt
    if since == nil { since = uptime }
    let isNews = isHalt && !logged.contains(.apiHalted)
    guard lastLine == nil || isNews else { return remind(at: uptime, log: log) }
    guard reporter?.take(for: subject) ?? true else { return }
    writeLine(at: uptime, log: log)
  }

  /// Writes a summary if one is due.
  mutating func remind(at uptime: Duration, log: Logger) {
    if let nextLine, uptime >= nextLine { writeLine(at: uptime, log: log) }
  }

  /// Ends the outage, and logs it if its beginning was logged.
  mutating func succeed(at uptime: Duration, log: Logger) {
    guard let since else { return }
    reporter?.release(by: subject)
    if lastLine != nil {
      let seconds = (uptime - since).components.seconds
      for event in logged {
        log.event(
          event == .apiHalted ? .apiRecovered : recovered, .notice,
          "\(subject) works again after \(seconds) s and \(failures) failures")
      }
    }
    (failures, self.since, lastLine, logged, isHalt) = (0, nil, nil, [], false)
  }

  private mutating func writeLine(at uptime: Duration, log: Logger) {
    lastLine = uptime
    let minutes = (uptime - (since ?? uptime)).components.seconds / 60
    let words =
      failures == 1 && minutes == 0
      ? "failed: \(last.message)" : "has failed for \(minutes) minutes, \(failures) times; last: \(last.message)"
    let event = isHalt ? JournalEvent.apiHalted : failed
    if !logged.contains(event) { logged.append(event) }
    log.event(event, last.level, "\(subject) \(words)", last.fields)
  }
}

/// Makes several loops that meet the same outage log it once: the first one that meets it does, and the others log
/// nothing for as long as that one fails.
public final class OutageReporter: Sendable {
  private let holder = Mutex<String?>(nil)

  /// A reporter that no loop holds.
  public init() {}

  /// Returns true if `subject` is the one to log.
  func take(for subject: String) -> Bool {
    holder.withLock { holder in
      if holder == nil { holder = subject }
      return holder == subject
    }
  }

  /// Leaves the log to the next, if `subject` held it.
  func release(by subject: String) {
    holder.withLock { if $0 == subject { $0 = nil } }
  }
}
