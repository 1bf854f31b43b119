import Conversions
import Testing

/// Tests the fields that an order and a referral keep of people who are to be forgotten.
@Suite struct RedactionTests {
  private static let person = EmailAddress(normalForm: "ana@example.com")

  private func order(
    email: String? = nil, external: String? = nil, customer: String? = nil, metadata: String? = nil
  ) throws -> Order {
    Order(
      key: OrderKey("1"), transactionID: try #require(TransactionID("ana@example.com")),
      email: email.flatMap(EmailAddress.init), externalSourceID: external.flatMap(ExternalSourceID.init),
      customerID: customer, qualifies: true,
      placedAt: PlacedAt(earliest: Timestamp(microseconds: 0), latest: Timestamp(microseconds: 0)), metadata: metadata)
  }

  private func redacted(_ order: Order, referrer: String? = nil) -> Order? {
    order.without({ $0 == Self.person }, isReferrer: { $0 == referrer })
  }

  @Test func ofTheirOwnOrderOnlyWhatNamesNobodyStays() throws {
    let theirs = try order(
      email: " ANA@example.com", external: "lead_1", customer: "cust_1", metadata: #"{"name":"Ana"}"#)
    let left = try #require(redacted(theirs))
    #expect(left.email == nil && left.customerID == nil && left.metadata == nil)
    #expect(left.externalSourceID?.text == "lead_1" && left.transactionID.text == "ana@example.com")
    #expect(redacted(theirs, referrer: "cust_1")?.customerID == "cust_1")
    #expect(redacted(left) == nil, "once is enough")
  }

  @Test func elsewhereOnlyTheAddressGoes() throws {
    let others = try order(
      email: "bob@example.com", external: "Ana@Example.com", customer: "ana@example.com", metadata: #"{"a":"b"}"#)
    let left = try #require(redacted(others))
    #expect(left.email?.text == "bob@example.com" && left.externalSourceID == nil && left.customerID == nil)
    #expect(left.metadata == #"{"a":"b"}"#)
    #expect(
      redacted(try order(email: "xana@example.com", customer: "ana", metadata: #"{"a":"ana@example.comx"}"#)) == nil)
  }

  @Test(arguments: [
    #"{"to":"ana@example.com"}"#, #"{"to":"Ana <ANA@EXAMPLE.COM>, Bob <bob@example.com>"}"#,
    #"{"a":["ana@example.com"]}"#,
    #"{"say":"write to 'ana@example.com'!"}"#, #"{"url":"?mail=ana%40example.com"}"#, #"{"ana@example.com":1}"#,
  ])
  func metadataThatHoldsTheAddressGoesWhole(metadata: String) throws {
    #expect(MaskedText.addresses(in: metadata).contains(Self.person))
    #expect(redacted(try order(email: "bob@example.com", metadata: metadata))?.metadata == nil)
    #expect(redacted(try order(email: "bob@example.com", metadata: metadata)) != nil)
  }

  @Test func aReferralKeepsNoneOfTheirAddresses() {
    let shown = Referral(
      id: ReferralID("r"), status: .pending, friendEmail: "ana@example.com", createdAt: Timestamp(microseconds: 0),
      referrerIdentifier: " Ana@example.com", externalSourceID: "lead_1")
    let mirrored = MirroredReferral(shown, seenAt: Timestamp(microseconds: 0))
    let left = mirrored.without { $0 == Self.person }
    #expect(left?.email == nil && left?.referrerIdentifier == nil && left?.externalSourceID?.text == "lead_1")
    #expect(left?.without { $0 == Self.person } == nil)
  }
}
