import Conversions

/// One attempt to report one conversion: started (marked in the ledger), sent, judged, ended, stored.
extension Attempt {
  /// An attempt that is marked in the ledger and must be sent. An object, as it waits in the frames of many functions.
  final class Started: Sendable {
    let order: LedgerOrder
    let report: ConversionReport
    /// The attempt's number.
    let number: Int
    /// The wall-clock time of its start.
    let startedAt: Timestamp

    init(order: LedgerOrder, report: ConversionReport, number: Int, startedAt: Timestamp) {
      (self.order, self.report, self.number, self.startedAt) = (order, report, number, startedAt)
    }
  }

  /// The judgement of an answer.
  struct Judgement {
    let verdict: SendVerdict
    /// True if this send may have been done without our knowing.
    let isUnknown: Bool
    /// The referral as the API showed it, where it was asked.
    var shown: Referral?
  }

  /// An attempt that ended, and its judgement. An object, for the same reason as `Started`.
  final class Ended: Sendable {
    let order: LedgerOrder
    let report: ConversionReport
    let verdict: SendVerdict
    let attemptNumber: Int
    let startedAt: Timestamp
    let duration: Duration
    let httpStatus: Int?
    let isUnknown: Bool
    /// True if it was not sent because of what came of another one.
    let isWithdrawn: Bool
    /// The referral as the API showed it, where it was asked.
    let shown: Referral?

    init(_ send: Started, _ judged: Judgement, duration: Duration, httpStatus: Int?, isWithdrawn: Bool) {
      (order, report, attemptNumber, startedAt) = (send.order, send.report, send.number, send.startedAt)
      (verdict, isUnknown, shown) = (judged.verdict, judged.isUnknown, judged.shown)
      (self.duration, self.httpStatus, self.isWithdrawn) = (duration, httpStatus, isWithdrawn)
    }
  }
}

extension Attempt.Ended {
  /// The fields of its log line.
  var fields: [String: String?] {
    let sent: [String: String?] = [
      "order": order.orderID, "attempt": String(attemptNumber), "http_status": httpStatus.map(String.init),
      "duration_ms": String(duration.wholeMilliseconds),
    ]
    return sent.merging(report.fields) { $1 }
  }
}

/// The API refused a question before a send in a way that only a person can change: nothing is sent, for any order.
struct SendingRefusal: Error {
  let reason: HaltReason
  let detail: String
}

/// A question before a send had no answer: nothing new is known of the order.
struct LookFailure: Error, CustomStringConvertible {
  static let reason = QueuedReason.referralUnread.rawValue

  let order: LedgerOrder
  let cause: ReadFailure

  var description: String { "asked for its referrals: \(cause)" }
}
