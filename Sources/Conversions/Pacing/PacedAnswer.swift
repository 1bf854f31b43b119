/// The meaning of a write's answer to a pacer.
public enum PacedAnswer: Hashable, Sendable {
  /// Anything but a 429; also no answer at all, which may have been counted.
  case notRefused
  /// 429, and the wait that the API asks for; nil where it doesn't say.
  case refused(retryAfter: Duration?)
}
