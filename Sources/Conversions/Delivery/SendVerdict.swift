/// The facts known of a conversion's earlier sends when an answer is judged.
public struct SendHistory: Hashable, Sendable {
  /// True if an earlier send may have been done: it timed out, was reset, answered 500 ...
  public var hasUnknownOutcome: Bool
  /// The time at which the first send began, by the wall clock.
  public var firstSentAt: Timestamp?
  /// The number of times that 404 has taken it back to matching.
  public var rematches: Int

  /// Makes a history from its values.
  public init(hasUnknownOutcome: Bool, firstSentAt: Timestamp?, rematches: Int) {
    self.hasUnknownOutcome = hasUnknownOutcome
    self.firstSentAt = firstSentAt
    self.rematches = rematches
  }
}

/// The reason for the halt of all sending, which lasts until a probe succeeds.
public enum HaltReason: String, Sendable, Codable, CaseIterable {
  /// 401: no key, or one that doesn't resolve.
  case keyRefused = "key_refused"
  /// 403: the partner account isn't approved.
  case notApproved = "not_approved"
  /// A certificate that can't be trusted.
  case tls
  /// A 3xx: the key must not be sent to where it points.
  case redirect
  /// The API doesn't know referrals that it showed before: the key or `api.base_url` is another account's.
  case accountChanged = "account_changed"
  /// It refused the reports of five different orders in a row: the fault is not an order's.
  case rejecting

  /// The act that ends it, for the log and the screens. Each is ended by a probe that succeeds; a restart probes at once.
  public var remedy: String {
    switch self {
    case .keyRefused: "nothing is lost; put a valid key in place, then systemctl restart conversiond"
    case .notApproved:
      "nothing is lost; ask in the partner dashboard for the account to be approved, and it goes on by itself"
    case .tls: "nothing is lost; see the host's clock, its certificate authorities and api.base_url, then restart"
    case .redirect:
      "nothing is lost; the key is never sent on: see api.base_url and a proxy's variables, then restart"
    case .accountChanged:
      "nothing is lost; put the right account's key, or api.base_url, in place, then systemctl restart conversiond"
    case .rejecting:
      "nothing is lost; see `conversiond queue list --state review`, mend it and restart: an order is let through then, "
        + "and each hour"
    }
  }

  /// Returns a halt's detail with its remedy behind it.
  public func withRemedy(_ detail: String) -> String {
    detail + (detail.hasSuffix("?") || detail.hasSuffix(".") ? " " : "; ") + remedy
  }
}

/// The next step after one send of a conversion (one row of the table in the delivery's documentation each).
public enum SendVerdict: Hashable, Sendable {
  /// The API has it.
  case reported(detail: String?)
  /// A person must look.
  case review(ReviewReason, String)
  /// The referral was converted by another order or program.
  case superseded(String)
  /// It may have been done: the same bytes are sent later.
  case unknown(String, retryAfter: Duration?)
  /// Not a byte was sent, or the API refused to look at it: it is sent later, and no attempt is counted.
  case notDone(String, retryAfter: Duration?)
  /// All sending halts; the entry stays as it is.
  case halt(HaltReason, String)
  /// The referral is gone, and nothing was ever sent for this entry: it is matched again.
  case rematch(String)
  /// The API must be asked for the referral before judging.
  case verify(VerifyReason)
}

/// The reason why the referral must be asked for before an answer can be judged.
public enum VerifyReason: Hashable, Sendable {
  /// 409 DUPLICATE_CONVERSION.
  case conflict
  /// 404 after an unknown outcome.
  case missingAfterUnknown
}

extension SendVerdict {
  /// The name by which attempts are listed that may have been done.
  public static let unknownName = "unknown"

  /// The verdict in a word, as attempts are listed with.
  public var name: String {
    switch self {
    case .reported: "reported"
    case .review: "review"
    case .superseded: "superseded"
    case .unknown, .verify: Self.unknownName
    case .notDone: "not_done"
    case .halt: "halt"
    case .rematch: "rematch"
    }
  }

  /// True if the send may have been done without our knowing.
  public var isUnknown: Bool {
    if case .unknown = self { true } else { false }
  }

  /// True if its order is sent again after the back-off's wait.
  public var isTriedAgain: Bool {
    switch self {
    case .unknown, .verify, .notDone: true
    case .reported, .review, .superseded, .halt, .rematch: false
    }
  }

  /// True if the API has taken the order.
  public var isTaken: Bool {
    switch self {
    case .reported, .superseded: true
    case .review, .rematch, .unknown, .verify, .notDone, .halt: false
    }
  }

  /// The time for which the API asks us to wait.
  public var retryAfter: Duration? {
    switch self {
    case .unknown(_, let after), .notDone(_, let after): after
    case .reported, .review, .superseded, .halt, .rematch, .verify: nil
    }
  }
}
