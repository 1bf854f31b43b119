/// The one table of failures that halt sending: those that only a person's doing changes, whatever was asked.
///
/// Each request to the API stands in a situation; the failure that comes of it halts all sending, or leaves it alone. A
/// caller that judged for itself took a refused key for an unknown outcome, and sent on.
public enum HaltTable {
  /// Situations in which the API is asked something.
  public enum Situation: String, Sendable, CaseIterable {
    /// A conversion is reported.
    case send
    /// A referral is fetched to judge an answer, or an unknown outcome.
    case verification
    /// The referrals are asked for by an order's keys before its first send, or a known referral for whose account it
    /// is.
    case question
    /// The smallest read there is, to learn whether a halt is over.
    case probe
    /// The mirror walks the list, or fetches a referral that the list left out.
    case listing
  }

  /// Failures as far as the table tells them apart.
  public enum Failure: Hashable, Sendable {
    /// An HTTP status.
    case status(Int)
    /// No answer at all.
    case transport(TransportFailure.Kind)
  }

  /// Returns the reason for which a failure halts sending; nil for one that doesn't.
  ///
  /// The situation changes nothing today: a key that is refused, an account that isn't approved, a redirect and a
  /// certificate that can't be trusted are no matter of one request. It is named all the same, so that a rule that
  /// depends on it has its place here and nowhere else.
  public static func reason(for failure: Failure, in situation: Situation) -> HaltReason? {
    switch (situation, failure) {
    case (_, .status(401)): .keyRefused
    case (_, .status(403)): .notApproved
    case (_, .status(300..<400)): .redirect
    case (_, .transport(.tls)): .tls
    case (_, .status), (_, .transport): nil
    }
  }
}

extension APIAnswer {
  /// The failure as the table of halts knows it; nil for a success.
  public var haltFailure: HaltTable.Failure? {
    switch self {
    case .success: nil
    case .failure(_, let head): .status(head.status)
    case .transport(let failure): .transport(failure.kind)
    }
  }

  /// Returns the reason for which this answer halts sending; nil for one that doesn't.
  public func haltReason(in situation: HaltTable.Situation) -> HaltReason? {
    haltFailure.flatMap { HaltTable.reason(for: $0, in: situation) }
  }

  /// The failure in a sentence; empty for a success.
  var failureWords: String {
    switch self {
    case .success: ""
    case .failure(let failure, let head):
      failure.code.map { "\(head.status) \($0): \(failure.message)" } ?? "\(head.status): \(failure.message)"
    case .transport(let failure): failure.message
    }
  }
}
