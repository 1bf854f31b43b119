import Conversions
import TestHosts

extension ModelAPI.State {
  /// Checks that a report that may have been done is only ever sent again as it was.
  mutating func checkBytes(_ report: ConversionReport) {
    guard let earlier = doubtful[report.transactionID.text], earlier != report else { return }
    violations.append("\(report.transactionID) was sent again with other bytes or for another referral")
  }

  mutating func nextReadFault() -> Int? {
    if !readFaults.isEmpty { return readFaults.removeFirst() }
    switch down {
    case .status(let status, _, _)?: return status
    case .some: return 0
    case nil: break
    }
    return draw([0, 429, 500, 503])
  }

  mutating func nextConvertFault() -> ConvertFault? {
    if !convertFaults.isEmpty { return convertFaults.removeFirst() }
    if let down { return down }
    return draw([
      .answerLost, .answerLost, .answerCut, .requestLost, .doneBut500, .internalError, .badGateway, .rateLimited,
      .keyRefused, .refused,
    ])
  }

  private mutating func draw<Fault>(_ faults: [Fault]) -> Fault? {
    guard var drawn = chance else { return nil }
    defer { chance = drawn }
    return drawn.generator.chance(drawn.probability) ? faults.randomElement(using: &drawn.generator) : nil
  }

  /// API reference, Report a conversion.
  mutating func answer(
    _ report: ConversionReport, fault: ConvertFault?, now: Timestamp
  ) -> APIAnswer<ConversionReceipt> {
    switch fault {
    case nil, .slow?: return perform(report, now: now)
    case .status(let status, let code, let retryAfter)?:
      return failure(status, code, retryAfter: retryAfter)
    case .doneBut500?:
      _ = perform(report, now: now)
      return failure(500, "INTERNAL_ERROR")
    case .answerLost?:
      _ = perform(report, now: now)
      return .transport(.timedOut)
    case .answerCut?:
      _ = perform(report, now: now)
      return failure(201, nil)
    case .requestLost?: return .transport(.timedOut)
    case .refused?: return .transport(.refused)
    case .tls?: return .transport(.tls)
    case .otherReferral?, .otherValue?:
      guard case .success(var receipt, let head) = perform(report, now: now) else { return failure(500, nil) }
      if fault == .otherValue { receipt.conversionValue = 1 } else { receipt.referralID = ReferralID("other") }
      return .success(receipt, head)
    }
  }

  private func failure(
    _ status: Int, _ code: String?, retryAfter: Duration? = nil
  ) -> APIAnswer<ConversionReceipt> {
    .failure(
      APIFailure(code: code, message: "ordered", retryAfter: retryAfter, isMalformed: code == nil),
      AnswerHead(status: status))
  }

  private mutating func perform(_ report: ConversionReport, now: Timestamp) -> APIAnswer<ConversionReceipt> {
    guard var referral = table.referrals[report.referralID] else { return failure(404, "NOT_FOUND") }
    let earlier = transactions[report.transactionID.text]
    if referral.status == .converted || earlier != nil {
      guard replays, earlier == referral.id else { return failure(409, "DUPLICATE_CONVERSION") }
      return receipt(referral, status: 200)
    }
    (referral.status, referral.convertedAt) = (.converted, now)
    referral.conversionValue = report.value
    table.put(referral)
    transactions[report.transactionID.text] = referral.id
    done.append(report)
    return receipt(referral, status: 201)
  }

  private func receipt(_ referral: Referral, status: Int) -> APIAnswer<ConversionReceipt> {
    .success(
      ConversionReceipt(
        referralID: referral.id, status: .converted, convertedAt: referral.convertedAt,
        conversionValue: referral.conversionValue, idempotent: status == 200), AnswerHead(status: status))
  }
}
