private import Glibc
internal import Logging

/// Makes a line from a record.
struct PlainStyle: Sendable {
  /// A moment of the wall clock.
  struct Moment {
    /// Seconds since 1970-01-01T00:00:00Z.
    var seconds: Int
    var milliseconds: Int

    static var now: Moment {
      var time = timespec()
      unsafe clock_gettime(CLOCK_REALTIME, &time)
      return Moment(seconds: time.tv_sec, milliseconds: time.tv_nsec / 1_000_000)
    }
  }

  /// True if lines are short, for a person who reads them as they come.
  var isTerminal: Bool
  /// True if levels are coloured.
  var isColored: Bool

  init(isTerminal: Bool, color: Bool, environment: [String: String]) {
    self.isTerminal = isTerminal
    let isRefused = environment["NO_COLOR"].map { !$0.isEmpty } ?? false
    isColored = isTerminal && color && !isRefused && environment["TERM"] != "dumb"
  }

  /// `2026-11-22T13:05:01.123Z notice  message  order=1043`, or `13:05:01 notice  message  order=1043` in the
  /// host's time zone for a terminal, which is not told the event's name.
  func line(_ record: LogRecord, at moment: Moment) -> [UInt8] {
    let level = Self.name(of: record.level)
    let padding = String(repeating: " ", count: max(1, 8 - level.utf8.count))
    let color = isColored ? Self.color(of: record.level) : nil
    let shown = color.map { "\u{1B}[\($0)m\(level)\u{1B}[0m" } ?? level
    var line = "\(isTerminal ? Self.localTime(moment) : Self.timestamp(moment)) \(shown)\(padding)"
    line += SafeText.escaped(record.message)
    var separator = "  "
    for field in record.fields where !(isTerminal && field.key == "event") {
      line += "\(separator)\(SafeText.quoted(field.key))=\(SafeText.quoted(field.value))"
      separator = " "
    }
    return Array((line + "\n").utf8)
  }

  private static func name(of level: Logger.Level) -> String {
    switch level {
    case .critical, .error: "error"
    case .warning: "warning"
    case .notice: "notice"
    case .info: "info"
    case .debug, .trace: "debug"
    }
  }

  /// Select Graphic Rendition (ECMA-48, 8.3.117).
  private static func color(of level: Logger.Level) -> String? {
    switch level {
    case .critical, .error: "1;31"
    case .warning: "33"
    case .notice: "36"
    case .info: nil
    case .debug, .trace: "2"
    }
  }

  /// RFC 3339 in UTC.
  static func timestamp(_ moment: Moment) -> String {
    var seconds = moment.seconds
    var parts = unsafe tm()
    unsafe gmtime_r(&seconds, &parts)
    let date = unsafe "\(parts.tm_year + 1_900)-\(two(parts.tm_mon + 1))-\(two(parts.tm_mday))"
    let milliseconds = String(1_000 + moment.milliseconds).dropFirst()
    return "\(date)T\(unsafe clock(parts)).\(milliseconds)Z"
  }

  private static func localTime(_ moment: Moment) -> String {
    var seconds = moment.seconds
    var parts = unsafe tm()
    unsafe localtime_r(&seconds, &parts)
    return unsafe clock(parts)
  }

  private static func clock(_ parts: tm) -> String {
    unsafe "\(two(parts.tm_hour)):\(two(parts.tm_min)):\(two(parts.tm_sec))"
  }

  private static func two(_ number: Int32) -> String { number < 10 ? "0\(number)" : "\(number)" }
}
