import Conversions

/// Measures how far the API's clock is ahead of the host's, smoothed over many answers.
struct ClockComparison: Sendable {
  /// The most by which the difference changes by drift: if it is more, a clock was set.
  private static let jump = Duration.seconds(30)

  private(set) var ahead: Duration?

  /// Takes in the Date of an answer that ended at a time of the host's clock.
  mutating func take(_ head: AnswerHead, endedAt: Timestamp) {
    guard let time = head.timeAtEnd else { return }
    let sample = time - endedAt
    guard let ahead, abs((sample - ahead).inSeconds) <= Self.jump.inSeconds else {
      self.ahead = sample
      return
    }
    self.ahead = .microseconds((ahead + (sample - ahead) / 8).wholeMicroseconds)
  }
}

extension AnswerHead {
  /// The longest answer that is used: one that took longer says too little about when it was written.
  private static let durationMax = Duration.seconds(5)

  /// The time of the API's clock when the answer ended, by its Date, which has whole seconds (RFC 9110, 5.6.7).
  var timeAtEnd: Timestamp? {
    guard let date, duration <= Self.durationMax else { return nil }
    return date + .milliseconds(500) + duration / 2
  }
}
