extension SendVerdict {
  /// How often a 404 takes an entry back to matching before a person is asked.
  public static let rematchesMax = 3

  /// Judges the answer to one send.
  public init(answer: APIAnswer<ConversionReceipt>, report: ConversionReport, history: SendHistory) {
    if let reason = answer.haltReason(in: .send) {
      self = .halt(reason, answer.failureWords)
      return
    }
    switch answer {
    case .success(let receipt, _): self = Self.success(receipt, report: report)
    case .failure(let failure, let head): self = Self.failure(failure, status: head.status, history: history)
    case .transport(let failure): self = Self.transport(failure)
    }
  }

  private static func success(_ receipt: ConversionReceipt, report: ConversionReport) -> Self {
    guard receipt.referralID == report.referralID else {
      return .review(.answerMismatch, "the API answered for referral \(receipt.referralID)")
    }
    guard receipt.status == .converted else {
      return .review(.answerMismatch, "the API answered that the referral is \(receipt.status.rawValue)")
    }
    guard receipt.conversionValue == report.value else {
      return .review(.answerMismatch, "the API recorded the value \(text(receipt.conversionValue))")
    }
    return .reported(detail: receipt.idempotent ? "the API had it already" : nil)
  }

  private static func failure(_ failure: APIFailure, status: Int, history: SendHistory) -> Self {
    let words = failure.code.map { "\(status) \($0): \(failure.message)" } ?? "\(status): \(failure.message)"
    switch status {
    // Done as far as the status tells, but the body doesn't say for whom: the same bytes again get the answer.
    case 200..<300: return .unknown(words, retryAfter: nil)
    // A page is a proxy's, and a proxy's answer says nothing of what was done.
    case 400, 413, 415, 422:
      return failure.isMalformed
        ? .unknown(words, retryAfter: failure.retryAfter) : .review(.rejected, rejection(words, failure.fields))
    case 404 where failure.code != "NOT_FOUND": return .unknown(words, retryAfter: failure.retryAfter)
    case 404 where history.hasUnknownOutcome: return .verify(.missingAfterUnknown)
    case 404 where history.rematches >= rematchesMax: return .review(.referralMissing, words)
    case 404: return .rematch(words)
    case 409: return .verify(.conflict)
    case 429: return .notDone(words, retryAfter: failure.retryAfter)
    default: return .unknown(words, retryAfter: failure.retryAfter)
    }
  }

  private static func transport(_ failure: TransportFailure) -> Self {
    failure.mayHaveBeenDone
      ? .unknown(failure.message, retryAfter: nil) : .notDone(failure.message, retryAfter: nil)
  }

  private static func rejection(_ words: String, _ fields: [APIFailure.Field]) -> String {
    guard !fields.isEmpty else { return words }
    return words + " (" + fields.map { "\($0.field): \($0.message)" }.joined(separator: "; ") + ")"
  }

  private static func text(_ value: Int64?) -> String { value.map(String.init) ?? "none" }
}

extension SendVerdict {
  /// Judges, with the referral as the API shows it now, an answer that asked to be verified; `skew` is by how much the
  /// API's clock may differ from ours, `doubt` by how much ours was corrected since the first send.
  public init(
    verifying reason: VerifyReason, referral answer: APIAnswer<Referral>, report: ConversionReport,
    history: SendHistory, now: Timestamp, skew: Duration, doubt: Duration = .zero
  ) {
    if let reason = answer.haltReason(in: .verification) {
      self = .halt(reason, "asked for the referral: \(answer.failureWords)")
      return
    }
    switch answer {
    case .success(let referral, _) where referral.status == .converted:
      self = Self.converted(referral, report: report, history: history, now: now, skew: skew, doubt: doubt)
    case .success(let referral, _):
      self = Self.notConverted(referral, reason: reason)
    case .failure(let failure, let head) where head.status == 404 && failure.code == "NOT_FOUND":
      self = .review(.referralMissing, "the API does not know referral \(report.referralID)")
    case .failure(let failure, let head):
      self = .unknown("asked for the referral: \(head.status): \(failure.message)", retryAfter: failure.retryAfter)
    case .transport(let failure):
      self = .unknown("asked for the referral: \(failure.message)", retryAfter: nil)
    }
  }

  /// Ours only if we may have done it, at a time when we may have done it, with our value: a server that never replays
  /// answers our own lost success with 409, and another program's conversion looks just the same from here otherwise.
  private static func converted(
    _ referral: Referral, report: ConversionReport, history: SendHistory, now: Timestamp, skew: Duration,
    doubt: Duration
  ) -> Self {
    let author =
      history.hasUnknownOutcome
      ? author(of: referral, report, firstSentAt: history.firstSentAt, now: now, skew: skew, doubt: doubt) : .another
    switch author {
    case .us: return .reported(detail: "an earlier send was done; its answer was lost")
    case .another:
      return .superseded("referral \(referral.id) was converted by another order or another program")
    case .unclear:
      return .review(
        .clockCorrected,
        "referral \(referral.id) was converted with this value, and as the clock was corrected since the first send, "
          + "nobody can tell whether by it")
    }
  }

  /// Whose a conversion is.
  public enum Author: Hashable, Sendable {
    /// That of a send of ours without a clear answer.
    case us
    /// Another order's or another program's.
    case another
    /// Nobody can tell.
    case unclear
  }

  /// Whether a converted referral's conversion may be one that was sent without a clear answer: at a time when it may
  /// have been, and with its value.
  ///
  /// - Parameters:
  ///   - referral: As the API shows it now.
  ///   - report: What was sent.
  ///   - firstSentAt: When it was first sent, by our clock of then; nil for never.
  ///   - now: Wall-clock time.
  ///   - skew: By how much the API's clock may differ from ours.
  ///   - doubt: By how much ours was corrected since the first send.
  /// - Returns: Whose it must be, or that nobody can tell.
  public static func author(
    of referral: Referral, _ report: ConversionReport, firstSentAt: Timestamp?, now: Timestamp, skew: Duration,
    doubt: Duration = .zero
  ) -> Author {
    guard let firstSentAt, let at = referral.convertedAt, referral.conversionValue == report.value, at <= now + skew
    else { return .another }
    if at < firstSentAt - skew - doubt { return .another }
    return at < firstSentAt - skew + doubt ? .unclear : .us
  }

  private static func notConverted(_ referral: Referral, reason: VerifyReason) -> Self {
    switch reason {
    case .conflict:
      .review(
        .transactionConflict,
        "409, but referral \(referral.id) is \(referral.status.rawValue): the transaction ID was used for another")
    case .missingAfterUnknown:
      .unknown("404, but referral \(referral.id) is \(referral.status.rawValue)", retryAfter: nil)
    }
  }
}
