/// What a write's answer tells a pacer.
public enum PacedAnswer: Hashable, Sendable {
  /// Anything but a 429; also no answer at all, which may have been counted.
  case notRefused
  /// 429, and how long the API asks to wait, nil where it doesn't say.
  case refused(retryAfter: Duration?)
}
