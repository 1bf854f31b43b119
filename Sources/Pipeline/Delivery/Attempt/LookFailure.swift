import Conversions

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
