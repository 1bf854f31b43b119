import Conversions
import Logging

/// Tells the log of an outage without flooding it: one line when it begins, a summary every 15 minutes, one line when
/// it ends.
struct Outage {
  static let summaryInterval = Duration.seconds(900)

  private(set) var failures = 0
  private(set) var since: Duration?
  private var lastLine: Duration = .zero
  private let failed: Event
  private let recovered: Event
  private let subject: String

  /// An outage of `subject`, such as "reading orders", that hasn't begun.
  init(of subject: String, failed: Event, recovered: Event) {
    self.subject = subject
    self.failed = failed
    self.recovered = recovered
  }

  /// Counts a failure, and tells of it when it is the first or a summary is due.
  mutating func fail(
    _ message: String, level: Logger.Level = .warning, at uptime: Duration, log: Logger, fields: [String: String?] = [:]
  ) {
    failures += 1
    guard let since else {
      (since, lastLine) = (uptime, uptime)
      log.event(failed, level, "\(subject) failed: \(message)", fields)
      return
    }
    guard uptime - lastLine >= Self.summaryInterval else { return }
    lastLine = uptime
    let minutes = (uptime - since).components.seconds / 60
    log.event(
      failed, level, "\(subject) has failed for \(minutes) minutes, \(failures) times; last: \(message)", fields)
  }

  /// Ends the outage, and tells of it if there was one.
  mutating func succeed(at uptime: Duration, log: Logger) {
    guard let since else { return }
    let seconds = (uptime - since).components.seconds
    log.event(recovered, .notice, "\(subject) works again after \(seconds) s and \(failures) failures")
    failures = 0
    self.since = nil
  }
}
