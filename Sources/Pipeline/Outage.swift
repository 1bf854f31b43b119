import Conversions
import Logging
import Synchronization

/// Tells the log of an outage without flooding it: one line when it begins, a summary every 15 minutes, one line when
/// it ends.
struct Outage {
  static let summaryInterval = Duration.seconds(900)

  private(set) var failures = 0
  private(set) var since: Duration?
  /// When the last line was written; nil while the outage is another's to tell.
  private var lastLine: Duration?
  private var last: (message: String, level: Logger.Level, fields: [String: String?]) = ("", .warning, [:])
  /// The events that were told since it began, each to be followed by its end.
  private var told: [Event] = []
  /// Whether only a person can end it, as far as the last failure tells.
  private var isHalt = false
  private let failed: Event
  private let recovered: Event
  private let subject: String
  private let voice: OutageVoice?

  /// An outage of `subject`, such as "reading orders", that hasn't begun; told while nobody else who shares the voice
  /// tells of theirs.
  init(of subject: String, failed: Event, recovered: Event, voice: OutageVoice? = nil) {
    self.subject = subject
    self.failed = failed
    self.recovered = recovered
    self.voice = voice
  }

  /// When the next summary is due; nil while there is none to come.
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
    let isNews = isHalt && !told.contains(.apiHalted)
    guard lastLine == nil || isNews else { return remind(at: uptime, log: log) }
    guard voice?.take(for: subject) ?? true else { return }
    tell(at: uptime, log: log)
  }

  /// Writes a summary if one is due.
  mutating func remind(at uptime: Duration, log: Logger) {
    if let nextLine, uptime >= nextLine { tell(at: uptime, log: log) }
  }

  /// Ends the outage, and tells of it if it was told when it began.
  mutating func succeed(at uptime: Duration, log: Logger) {
    guard let since else { return }
    voice?.release(by: subject)
    if lastLine != nil {
      let seconds = (uptime - since).components.seconds
      for event in told {
        log.event(
          event == .apiHalted ? .apiRecovered : recovered, .notice,
          "\(subject) works again after \(seconds) s and \(failures) failures")
      }
    }
    (failures, self.since, lastLine, told, isHalt) = (0, nil, nil, [], false)
  }

  private mutating func tell(at uptime: Duration, log: Logger) {
    lastLine = uptime
    let minutes = (uptime - (since ?? uptime)).components.seconds / 60
    let words =
      failures == 1 && minutes == 0
      ? "failed: \(last.message)" : "has failed for \(minutes) minutes, \(failures) times; last: \(last.message)"
    let event = isHalt ? Event.apiHalted : failed
    if !told.contains(event) { told.append(event) }
    log.event(event, last.level, "\(subject) \(words)", last.fields)
  }
}

/// Has one thing outside told once, although several loops meet its outage: whoever meets it first tells, and the others
/// are silent for as long as that one fails.
public final class OutageVoice: Sendable {
  private let speaker = Mutex<String?>(nil)

  /// A voice that nobody has.
  public init() {}

  /// Whether `subject` is the one to tell.
  func take(for subject: String) -> Bool {
    speaker.withLock { speaker in
      if speaker == nil { speaker = subject }
      return speaker == subject
    }
  }

  /// Leaves it to the next, where `subject` had it.
  func release(by subject: String) {
    speaker.withLock { if $0 == subject { $0 = nil } }
  }
}
