import Conversions

/// How far the API's clock is ahead of the host's, smoothed over many answers.
struct ClockComparison: Sendable {
  /// A difference that changes by more was not drift: somebody set a clock.
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
  /// An answer that took longer says too little about when it was written.
  private static let durationMax = Duration.seconds(5)

  /// What the API's clock showed when the answer ended, by its Date, which has whole seconds (RFC 9110, 5.6.7).
  var timeAtEnd: Timestamp? {
    guard let date, duration <= Self.durationMax else { return nil }
    return date + .milliseconds(500) + duration / 2
  }
}
