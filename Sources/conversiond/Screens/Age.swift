import Conversions

/// The time since something, as people say it: one or two units.
enum Age {
  static func text(_ duration: Duration) -> String {
    let seconds = max(0, duration.components.seconds)
    switch seconds {
    case ..<60: return "\(seconds) s"
    case ..<3600: return "\(seconds / 60) min"
    case ..<86_400: return "\(seconds / 3600) h \(seconds / 60 % 60) min"
    default: return "\(seconds / 86_400) d \(seconds / 3600 % 24) h"
    }
  }

  static func text(since time: Timestamp?, now: Timestamp) -> String {
    time.map { text(now - $0) } ?? "-"
  }
}
