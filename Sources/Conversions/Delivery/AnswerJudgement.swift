extension SendVerdict {
  /// The number of times that a 404 takes an entry back to matching before a person is asked.
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
    // Done as far as the status tells, but the body doesn't say for which referral: the same bytes again get the
    // answer.
    case 200..<300: return .unknown(words, retryAfter: nil)
    // A malformed body is a proxy's, and a proxy's answer says nothing of what was done.
    case 400, 413, 415, 422:
      return failure.isMalformed
        ? .unknown(words, retryAfter: failure.retryAfter) : .review(.rejected, rejection(words, failure.fields))
    case 404 where failure.code != APIErrorCode.notFound.rawValue:
      return .unknown(words, retryAfter: failure.retryAfter)
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
  /// Judges, with the referral as the API shows it now, an answer that had to be verified; `skew` is the most by which
  /// the API's clock may differ from ours of the first send.
  public init(
    verifying reason: VerifyReason, referral answer: APIAnswer<Referral>, report: ConversionReport,
    history: SendHistory, now: Timestamp, skew: Duration
  ) {
    if let reason = answer.haltReason(in: .verification) {
      self = .halt(reason, "asked for the referral: \(answer.failureWords)")
      return
    }
    switch answer {
    case .success(let referral, _) where referral.status == .converted:
      self = Self.converted(referral, report: report, history: history, now: now, skew: skew)
    case .success(let referral, _):
      self = Self.notConverted(referral, reason: reason)
    case .failure where answer.saysNotFound:
      self = .review(.referralMissing, "the API does not know referral \(report.referralID)")
    case .failure(let failure, let head):
      self = .unknown("asked for the referral: \(head.status): \(failure.message)", retryAfter: failure.retryAfter)
    case .transport(let failure):
      self = .unknown("asked for the referral: \(failure.message)", retryAfter: nil)
    }
  }

  /// Takes a conversion for ours only if we may have done it, at a time when we may have done it, with our value: a
  /// server that never replays answers our own lost success with 409, and another program's conversion looks just the
  /// same from here otherwise.
  private static func converted(
    _ referral: Referral, report: ConversionReport, history: SendHistory, now: Timestamp, skew: Duration
  ) -> Self {
    let isOurs =
      history.hasUnknownOutcome
      && isOurs(referral, report, firstSentAt: history.firstSentAt, now: now, skew: skew)
    return isOurs
      ? .reported(detail: "an earlier send was done; its answer was lost")
      : .superseded("referral \(referral.id) was converted by another order or another program")
  }

  /// True if a converted referral's conversion may be one that was sent without a clear answer: at a time when it may
  /// have been, and with its value.
  ///
  /// A jump of the host's clock since then widens the time by its size. Another program's conversion in it, with the
  /// very value, is taken for ours then: the referral is converted once all the same, and by the right amount.
  ///
  /// - Parameters:
  ///   - referral: As the API shows it now.
  ///   - report: The report that was sent.
  ///   - firstSentAt: The time of its first send, by our clock of then; nil for never.
  ///   - now: Wall-clock time.
  ///   - skew: The most by which the API's clock may differ from ours, then and now.
  /// - Returns: True if it is taken for ours.
  public static func isOurs(
    _ referral: Referral, _ report: ConversionReport, firstSentAt: Timestamp?, now: Timestamp, skew: Duration
  ) -> Bool {
    guard let firstSentAt, let at = referral.convertedAt, referral.conversionValue == report.value else { return false }
    return at >= firstSentAt - skew && at <= now + skew
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
