import Conversions

/// What an answer came to.
struct JudgedAnswer {
  let verdict: SendVerdict
  /// Whether this send may have been done without our knowing.
  let isUnknown: Bool
  /// The referral as the API showed it, where it was asked.
  var shown: Referral?
}

/// A send that ended, and what it came to. One object, for the same reason as `Send`.
final class EndedSend: Sendable {
  let order: LedgerOrder
  let report: ConversionReport
  let verdict: SendVerdict
  let attemptNumber: Int
  let startedAt: Timestamp
  let duration: Duration
  let httpStatus: Int?
  let isUnknown: Bool
  /// Whether it was not sent because of what came of another one.
  let isWithdrawn: Bool
  /// The referral as the API showed it, where it was asked.
  let shown: Referral?

  init(_ send: Send, _ judged: JudgedAnswer, duration: Duration, httpStatus: Int?, isWithdrawn: Bool) {
    (order, report, attemptNumber, startedAt) = (send.order, send.report, send.number, send.startedAt)
    (verdict, isUnknown, shown) = (judged.verdict, judged.isUnknown, judged.shown)
    (self.duration, self.httpStatus, self.isWithdrawn) = (duration, httpStatus, isWithdrawn)
  }
}

extension EndedSend {
  /// What the log says with it.
  var fields: [String: String?] {
    [
      "order": order.orderID, "referral": report.referralID.text, "attempt": String(attemptNumber),
      "http_status": httpStatus.map(String.init), "duration_ms": String(duration.wholeMilliseconds),
    ]
  }
}
