import Conversions
import Pipeline

let day = Duration.seconds(86_400)
/// The wall clock's time when a test begins.
let start = VirtualClock.bootedAt + .seconds(1000)

func makeOrder(
  _ key: Int, email: String? = nil, external: String? = nil, total: Int? = 500, qualifies: Bool = true,
  placed: Timestamp = start - .seconds(60), keyText: String? = nil
) -> Order {
  guard let transactionID = TransactionID("order_\(key)") else { fatalError("no ID") }
  return Order(
    key: OrderKey(keyText ?? String(key)), transactionID: transactionID,
    email: EmailAddress(email ?? "friend\(key)@example.com"),
    externalSourceID: external.flatMap(ExternalSourceID.init),
    total: total.map { .amount(String($0), currency: "EUR") } ?? .null, status: "paid", qualifies: qualifies,
    placedAt: PlacedAt(earliest: placed, latest: placed))
}

func makeReferral(
  _ id: String, _ status: ReferralStatus = .pending, email: String?, created: Timestamp = start - day,
  external: String? = nil
) -> Referral {
  Referral(
    id: ReferralID(id), status: status, friendEmail: email, createdAt: created, referrerIdentifier: "cust_1",
    externalSourceID: external)
}

func makeRules(
  hold: Duration = .zero, wait: Duration = day * 14, choose: AttributionRules.Choice = .first
) -> AttributionRules {
  AttributionRules(
    keys: [.externalSourceID, .email], choose: choose, attributionWindow: day * 90, waitForReferral: wait,
    selfReferral: .review, hold: hold,
    amounts: AmountRules(unit: .cents, rounding: .refuse, otherCurrency: .review))
}

extension ConversionReport {
  /// The report of an order that was never frozen; nil while it has no referral or can't be read.
  init?(of order: LedgerOrder) {
    guard let referral = order.referralID, let readable = order.order else { return nil }
    self.init(
      referralID: referral, transactionID: readable.transactionID, value: order.value, metadata: readable.metadata)
  }
}
