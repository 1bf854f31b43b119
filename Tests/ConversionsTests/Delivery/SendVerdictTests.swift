import Conversions
import TestHosts
import Testing

private let report = ConversionReport(
  referralID: ReferralID("r1"), transactionID: transactionID("order_1"), value: 500,
  metadata: nil)
private let epoch = Timestamp(milliseconds: 1_765_000_000_000)
private let fresh = SendHistory(hasUnknownOutcome: false, firstSentAt: epoch, rematches: 0)
private let doubtful = SendHistory(hasUnknownOutcome: true, firstSentAt: epoch, rematches: 0)

private func receipt(id: String = "r1", value: Int64? = 500, status: ReferralStatus = .converted) -> ConversionReceipt {
  ConversionReceipt(
    referralID: ReferralID(id), status: status, convertedAt: epoch, conversionValue: value, idempotent: false)
}

private func failed(_ status: Int, _ code: String? = nil, malformed: Bool = false) -> APIAnswer<ConversionReceipt> {
  .failure(APIFailure(code: code, message: "m", isMalformed: malformed), AnswerHead(status: status))
}

private func lost(_ kind: TransportFailure.Kind, mayHaveBeenDone: Bool) -> APIAnswer<ConversionReceipt> {
  .transport(TransportFailure(kind: kind, message: "m", mayHaveBeenDone: mayHaveBeenDone))
}

@Suite struct SendVerdictTests {
  private func kind(_ answer: APIAnswer<ConversionReceipt>, _ history: SendHistory = fresh) -> String {
    kind(SendVerdict(answer: answer, report: report, history: history))
  }

  private func kind(_ verdict: SendVerdict) -> String {
    switch verdict {
    case .reported: "reported"
    case .review(let reason, _): reason.rawValue
    case .superseded: "superseded"
    case .unknown: "unknown"
    case .notDone: "not done"
    case .halt(let reason, _): "halt \(reason.rawValue)"
    case .rematch: "rematch"
    case .verify(let reason): "verify \(reason)"
    }
  }

  @Test func successIsForThisReferralAndThisValue() {
    #expect(kind(.success(receipt(), AnswerHead(status: 201))) == "reported")
    #expect(kind(.success(receipt(), AnswerHead(status: 200))) == "reported")
    #expect(kind(.success(receipt(id: "r2"), AnswerHead(status: 201))) == "answer_mismatch")
    #expect(kind(.success(receipt(value: 501), AnswerHead(status: 201))) == "answer_mismatch")
    #expect(kind(.success(receipt(value: nil), AnswerHead(status: 201))) == "answer_mismatch")
    #expect(kind(.success(receipt(status: .pending), AnswerHead(status: 201))) == "answer_mismatch")
  }

  @Test(
    arguments: [
      (201, nil, "unknown"), (400, "VALIDATION_ERROR", "rejected"), (413, nil, "rejected"), (415, nil, "rejected"),
      (422, nil, "rejected"), (401, "INVALID_API_KEY", "halt key_refused"),
      (401, "MISSING_API_KEY", "halt key_refused"),
      (403, "PARTNER_NOT_APPROVED", "halt not_approved"), (404, "NOT_FOUND", "rematch"), (404, nil, "unknown"),
      (409, "DUPLICATE_CONVERSION", "verify conflict"), (429, "RATE_LIMITED", "not done"),
      (500, "INTERNAL_ERROR", "unknown"),
      (502, nil, "unknown"), (503, nil, "unknown"), (504, nil, "unknown"), (302, nil, "halt redirect"),
      (418, nil, "unknown"),
    ] as [(Int, String?, String)])
  func eachStatusHasItsNextStep(status: Int, code: String?, expected: String) {
    #expect(kind(failed(status, code, malformed: status == 201)) == expected)
  }

  @Test(arguments: [400, 413, 415, 422])
  func aProxysPageSaysNothingOfWhatWasDone(status: Int) {
    #expect(kind(failed(status, nil, malformed: true)) == "unknown")
  }

  @Test func aMissingReferralDependsOnWhatMayHaveBeenDone() {
    #expect(kind(failed(404, "NOT_FOUND"), doubtful) == "verify missingAfterUnknown")
    let often = SendHistory(hasUnknownOutcome: false, firstSentAt: epoch, rematches: 3)
    #expect(kind(failed(404, "NOT_FOUND"), often) == "referral_missing")
  }

  @Test func transportFailuresDependOnWhatMayHaveBeenDone() {
    #expect(kind(lost(.timeout, mayHaveBeenDone: true)) == "unknown")
    #expect(kind(lost(.interrupted, mayHaveBeenDone: true)) == "unknown")
    #expect(kind(lost(.tooLarge, mayHaveBeenDone: true)) == "unknown")
    #expect(kind(lost(.cancelled, mayHaveBeenDone: true)) == "unknown")
    #expect(kind(lost(.connection, mayHaveBeenDone: false)) == "not done")
    #expect(kind(lost(.nameResolution, mayHaveBeenDone: false)) == "not done")
    #expect(kind(lost(.tls, mayHaveBeenDone: false)) == "halt tls")
  }

  private func verified(
    _ status: ReferralStatus, _ history: SendHistory, value: Int64? = 500, at time: Timestamp? = epoch,
    reason: VerifyReason = .conflict, skew: Duration = .seconds(5)
  ) -> SendVerdict {
    let referral = Referral(
      id: ReferralID("r1"), status: status, createdAt: epoch, convertedAt: time, conversionValue: value)
    return SendVerdict(
      verifying: reason, referral: .success(referral, AnswerHead(status: 200)), report: report, history: history,
      now: epoch + .seconds(60), skew: skew)
  }

  /// The first send may have been an hour before or after its recorded time.
  @Test func aJumpOfTheClockSinceWidensTheTimeOfOurConversion() {
    func verdict(at seconds: Int, _ history: SendHistory = doubtful, value: Int64 = 500) -> String {
      kind(verified(.converted, history, value: value, at: epoch + .seconds(seconds), skew: .seconds(3605)))
    }
    for seconds in [-3604, -6, 0, 59, 3664] { #expect(verdict(at: seconds) == kind(verified(.converted, doubtful))) }
    let another = kind(verified(.converted, fresh))
    #expect(verdict(at: -3606) == another, "before any send")
    #expect(verdict(at: 3666) == another, "after now")
    #expect(verdict(at: 0, value: 501) == another)
    #expect(verdict(at: 0, fresh) == another, "nothing was ever sent")
  }

  @Test func aConflictIsToldApartByAsking() {
    guard case .reported = verified(.converted, doubtful) else { Issue.record("ours"); return }
    guard case .superseded = verified(.converted, fresh) else { Issue.record("never sent before"); return }
    guard case .superseded = verified(.converted, doubtful, value: 501) else { Issue.record("another value"); return }
    guard case .superseded = verified(.converted, doubtful, at: epoch - .seconds(6)) else {
      Issue.record("too early"); return
    }
    guard case .superseded = verified(.converted, doubtful, at: epoch + .seconds(66)) else {
      Issue.record("too late"); return
    }
    guard case .superseded = verified(.converted, doubtful, at: nil) else { Issue.record("no time"); return }
    guard case .review(.transactionConflict, _) = verified(.pending, doubtful) else {
      Issue.record("not converted"); return
    }
    guard case .unknown = verified(.pending, doubtful, reason: .missingAfterUnknown) else {
      Issue.record("there"); return
    }
  }

  @Test func theBodyIsTheSameBytesEveryTime() {
    let id = TransactionID("order \"77\"\\ü😀") ?? report.transactionID
    let sent = ConversionReport(
      referralID: ReferralID("r"), transactionID: id, value: 12999, metadata: #"{"sku":"PRO-1"}"#)
    #expect(
      String(decoding: sent.body, as: UTF8.self)
        == #"{"conversionValue":12999,"currency":"EUR","externalTransactionId":"order \"77\"\\ü😀","metadata":{"sku":"PRO-1"}}"#
    )
    let bare = ConversionReport(referralID: ReferralID("r"), transactionID: id, value: nil, metadata: nil)
    #expect(!String(decoding: bare.body, as: UTF8.self).contains("currency"))
  }

  @Test func idsThatNoAPIShouldSeeAreRefused() {
    #expect(TransactionID("") == nil)
    #expect(TransactionID("a\r\nX-API-Key: b") == nil)
    #expect(TransactionID(String(repeating: "x", count: 256)) == nil)
    #expect(TransactionID(String(repeating: "x", count: 255)) != nil)
  }

  @Test func backOffStaysWithinItsBounds() {
    var random = SeededGenerator(seed: 5)
    for failures in 1...40 {
      for _ in 0..<50 {
        let wait = Backoff.delivery.wait(afterFailures: failures, using: &random)
        #expect(wait > .zero && wait <= .seconds(900))
        if failures == 1 { #expect(wait <= .seconds(5)) }
      }
    }
  }
}
