import Conversions
import Foundation
import Ledger
import TestHosts
import Testing

/// A person who is forgotten: what goes, what stays, and that the next sweep brings nothing back.
@Suite struct ForgettingTests {
  private static let text = "canary.of.the.mine@example.com"
  private static let person = EmailAddress(normalForm: text)

  /// Returns true if the address stands in any file of the ledger, in whatever case.
  private func stands(_ fixture: LedgerFixture) throws -> Bool {
    let names = try FileManager.default.contentsOfDirectory(atPath: fixture.folder.path)
    return try names.contains { name in
      let bytes = try Data(contentsOf: URL(fileURLWithPath: fixture.folder.path(name)))
      return String(decoding: bytes, as: UTF8.self).lowercased().contains(Self.text)
    }
  }

  private func order(
    _ key: Int, email: String? = text, external: String? = nil, customer: String? = nil, metadata: String? = nil
  ) -> Order {
    var order = makeOrder(key, email: email, external: external)
    (order.customerID, order.metadata) = (customer, metadata)
    return order
  }

  /// Takes in orders that name the person in every place, among many that don't.
  private func fill(_ ledger: SQLiteLedger) async throws -> [Order] {
    let shouted = Self.text.uppercased()
    let theirs = [
      order(1, customer: "cust_77", metadata: #"{"buyer":"\#(shouted)"}"#),
      order(2, external: "lead_2", metadata: #"{"sku":"A"}"#),
      order(3, email: "aunt@example.com", metadata: #"{"gift":"for \#(shouted), please"}"#),
      order(4, email: "uncle@example.com", external: Self.text, customer: shouted),
    ]
    let others = (10...400).map { order($0, email: "friend\($0)@example.com", metadata: #"{"sku":"B"}"#) }
    for order in theirs + others {
      let email = order.email?.text
      _ = try await ledger.transaction { tx in
        _ = try tx.record(makeReferral("r\(order.key)", email: email), seenAt: epoch)
        return try tx.record(.readable(order), seenAt: epoch, isBackfill: false)
      }
    }
    var made = makeReferral("r5", email: "son@example.com")
    made.referrerIdentifier = " \(shouted) "
    let referral = made
    _ = try await ledger.transaction { try $0.record(referral, seenAt: epoch) }
    try await ledger.report(theirs[0], entry: 1, referral: "r1")
    return theirs
  }

  @Test func nothingOfThePersonStaysInTheFilesAndTheNextSweepBringsNothingBack() async throws {
    let fixture = try LedgerFixture()
    let ledger = try fixture.open()
    let theirs = try await fill(ledger)
    #expect(try stands(fixture), "or this test could not fail")
    let trial = try await ledger.forget(Self.person, isTrial: true, at: epoch)
    #expect(trial.orders.map(\.orderID) == ["order_1", "order_2", "order_3", "order_4"] && trial.referrals == 3)
    #expect(!trial.isErased && trial.obstacles.isEmpty && !trial.wasForgotten)
    #expect(try await ledger.entry(2)?.order?.email == Self.person)
    let done = try await ledger.forget(Self.person, isTrial: false, at: epoch)
    #expect(done.isErased && done.orders.count == 4 && done.remaining == 0)
    #expect(try !stands(fixture), "while it is open")
    let report = try #require(try await ledger.entry(1))
    #expect(report.outcome == .reported && report.referralID?.text == "r1" && report.frozen?.report.value == 500)
    #expect(report.order?.email == nil && report.order?.customerID == nil && report.order?.metadata == nil)
    let body = String(decoding: report.frozen?.report.body ?? [], as: UTF8.self)
    #expect(body == #"{"conversionValue":500,"currency":"EUR","externalTransactionId":"order_1"}"#)
    #expect(try await ledger.entry(2)?.order?.externalSourceID?.text == "lead_2", "that names nobody")
    #expect(try await ledger.entry(3)?.order?.email?.text == "aunt@example.com")
    #expect(try await ledger.entry(7)?.order?.metadata == #"{"sku":"B"}"#)
    // The next sweep, and the next referrals.
    #expect(try await ledger.take(theirs.map(OrderRow.readable)) == Array(repeating: .unchanged, count: 4))
    let referral = makeReferral("r1", .converted, email: Self.text.uppercased())
    _ = try await ledger.transaction { try $0.record(referral, seenAt: epoch + .seconds(60)) }
    _ = try await ledger.take([.readable(order(500)), .readable(order(501, external: "lead_501"))])
    #expect(try !stands(fixture))
    try ledger.close()
    #expect(try !stands(fixture), "closed")
    let again = try fixture.open()
    _ = try await again.take([.readable(order(502))])
    let late = makeReferral("r9", email: Self.text)
    _ = try await again.transaction { try $0.record(late, seenAt: epoch) }
    #expect(try await again.transaction { try $0.referral(ReferralID("r9"))?.email } == nil)
    #expect(try await again.forget(Self.person, isTrial: true, at: epoch).wasForgotten)
    #expect(try !stands(fixture))
    #expect(try await again.integrityFaults().isEmpty)
  }

  @Test(arguments: ["queued", "sending", "unknown", "held"])
  func nothingIsErasedWhileAnOrderIsToBeReportedOrMayHaveBeen(state: String) async throws {
    let fixture = try LedgerFixture()
    let ledger = try fixture.open()
    let (first, second) = (order(1, metadata: #"{"a":"b"}"#), order(2))
    _ = try await ledger.take([.readable(first), .readable(second)])
    try await ledger.transaction { tx in
      var decision = Decision.queued("r1")
      if state == "held" { decision.outcome = .held }
      try tx.decide(EntryID(1), decision, at: epoch)
      guard state != "queued", state != "held" else { return }
      let number = try tx.beginSend(EntryID(1), makeReport(first), at: epoch)
      guard state == "unknown" else { return }
      let attempt = Attempt(
        number: number, startedAt: epoch, duration: nil, httpStatus: 500, verdict: "unknown", detail: nil)
      let result = SendResult(next: .review(.gaveUp), isUnknown: true, counts: true)
      try tx.finishSend(EntryID(1), makeReport(first), attempt: attempt, result: result, at: epoch)
    }
    let before = try await ledger.entry(1)
    let refused = try await ledger.forget(Self.person, isTrial: false, at: epoch)
    #expect(!refused.isErased && refused.obstacles.map(\.entry) == [EntryID(1)] && refused.orders.count == 2)
    #expect(try await ledger.entry(1) == before)
    #expect(try await ledger.entry(2)?.order?.email == Self.person)
    _ = try await ledger.take([.readable(order(3))])
    #expect(try await ledger.entry(3)?.order?.email == Self.person, "no hash was left")
    // Once it has come to its end.
    try await ledger.report(first)
    #expect(try await ledger.forget(Self.person, isTrial: false, at: epoch).isErased)
    #expect(try !stands(fixture))
  }

  @Test func whatEarlierChangesLeftBehindIsOverwrittenToo() async throws {
    let fixture = try LedgerFixture()
    let ledger = try fixture.open()
    // Long rows that move from page to page, and go.
    for turn in 0..<3 {
      let rows = (1...600).map { number in
        let padding = String(repeating: "x", count: (number * 37 + turn * 211) % 900)
        return OrderRow.readable(order(number, email: "\(number)." + Self.text, metadata: #"{"p":"\#(padding)"}"#))
      }
      _ = try await ledger.take(rows)
    }
    try await ledger.transaction { tx in
      for number in 1...600 { try tx.dismiss(EntryID(Int64(number)), as: .noReferral) }
    }
    _ = try await ledger.size(foldingAbove: 0)
    #expect(try stands(fixture), "or this test could not fail")
    let done = try await ledger.forget(Self.person, isTrial: false, at: epoch)
    #expect(done.orders.isEmpty && done.isErased && done.remaining == 0)
    #expect(try !stands(fixture))
  }

  @Test func aLongerAddressIsSomebodyElses() async throws {
    let fixture = try LedgerFixture()
    let ledger = try fixture.open()
    _ = try await ledger.take([.readable(order(1, email: "x" + Self.text)), .readable(order(2))])
    let done = try await ledger.forget(Self.person, isTrial: false, at: epoch)
    #expect(done.orders.map(\.entry) == [EntryID(2)])
    #expect(done.remaining ?? 0 > 0, "in the other's address, and said")
    #expect(try await ledger.entry(1)?.order?.email?.text == "x" + Self.text)
  }

  @Test func anOrderOfWhichLittleIsLeftComesBackWithoutThePerson() async throws {
    let fixture = try LedgerFixture()
    let ledger = try fixture.open()
    let theirs = order(1, metadata: #"{"a":"b"}"#)
    _ = try await ledger.transaction { try $0.record(makeReferral("r1", email: Self.text), seenAt: epoch) }
    _ = try await ledger.take([.readable(theirs)])
    try await ledger.report(theirs)
    let removed = try await ledger.transaction {
      try $0.removeFinished(decidedBefore: epoch + .seconds(1), from: nil, limit: 10).removed
    }
    #expect(removed == 1)
    #expect(try await ledger.forget(Self.person, isTrial: false, at: epoch).isErased)
    _ = try await ledger.take([.readable(theirs)])
    let entry = try #require(try await ledger.entry(1))
    #expect(entry.outcome == .reported && entry.order?.email == nil && entry.order?.metadata == nil)
    #expect(try !stands(fixture))
  }

  @Test func theReferrersOwnCustomerIDStaysSoThatASelfReferralIsTold() async throws {
    let fixture = try LedgerFixture()
    let ledger = try fixture.open()
    _ = try await ledger.forget(Self.person, isTrial: false, at: epoch)
    _ = try await ledger.transaction {
      try $0.record(makeReferral("r1", email: "son@example.com", external: "lead_1"), seenAt: epoch)
    }
    _ = try await ledger.take([
      .readable(order(1, external: "lead_1", customer: "cust_1")),
      .readable(order(2, external: "lead_1", customer: "c2")),
    ])
    #expect(try await ledger.entry(1)?.order?.customerID == "cust_1")
    #expect(try await ledger.entry(2)?.order?.customerID == nil)
  }
}
