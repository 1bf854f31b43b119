import Conversions
import Testing

/// The table of what halts sending: a test for every cell.
@Suite struct HaltTableTests {
  private static let failures: [(HaltTable.Failure, HaltReason?)] =
    [
      (.status(301), .redirect), (.status(302), .redirect), (.status(307), .redirect), (.status(399), .redirect),
      (.status(401), .keyRefused), (.status(403), .notApproved),
      (.transport(.tls), .tls),
    ]
    + [200, 204, 299, 400, 404, 405, 408, 409, 410, 413, 415, 422, 429, 500, 502, 503, 504, 599].map {
      (HaltTable.Failure.status($0), HaltReason?.none)
    }
    + TransportFailure.Kind.allCases.filter { $0 != .tls }.map { (HaltTable.Failure.transport($0), HaltReason?.none) }

  @Test(arguments: HaltTable.Situation.allCases) func everyCell(situation: HaltTable.Situation) {
    for (failure, reason) in Self.failures {
      #expect(HaltTable.reason(for: failure, in: situation) == reason, "\(failure) in \(situation)")
    }
  }

  private static let report = ConversionReport(
    referralID: ReferralID("r"), transactionID: transactionID("order_1"), value: 1, metadata: nil)
  private static let history = SendHistory(
    hasUnknownOutcome: true, firstSentAt: Timestamp(microseconds: 0), rematches: 0)

  /// The verdicts on a send, and on the referral that is fetched to verify a 409, follow the table.
  @Test(arguments: failures.indices) func sendsAndVerificationsFollowTheTable(index: Int) {
    let (failure, reason) = Self.failures[index]
    let now = Timestamp(microseconds: 1)
    let verdicts: [SendVerdict]
    switch failure {
    case .status(let status):
      guard status >= 300 else { return }
      let words = APIFailure(code: nil, message: "words", isMalformed: true)
      verdicts = [
        SendVerdict(
          answer: .failure(words, AnswerHead(status: status)), report: Self.report, history: Self.history),
        SendVerdict(
          verifying: .conflict, referral: .failure(words, AnswerHead(status: status)), report: Self.report,
          history: Self.history, now: now, skew: .zero),
      ]
    case .transport(let kind):
      let words = TransportFailure(kind: kind, message: "words", mayHaveBeenDone: true)
      verdicts = [
        SendVerdict(answer: .transport(words), report: Self.report, history: Self.history),
        SendVerdict(
          verifying: .conflict, referral: .transport(words), report: Self.report, history: Self.history, now: now,
          skew: .zero),
      ]
    }
    for verdict in verdicts {
      let halt: HaltReason? = if case .halt(let found, _) = verdict { found } else { nil }
      #expect(halt == reason, "\(failure): \(verdict)")
    }
  }
}
