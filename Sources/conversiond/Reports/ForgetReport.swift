import Conversions
import Ledger

/// The request of `forget` to the daemon. In a body, never in a URL: an address must be in no log.
struct ForgetRequest: Codable, Hashable, Sendable {
  var email: String
  var apply: Bool
}

/// The report of `forget`. The shape is a contract, like `StatusReport`'s.
struct ForgetReport: Codable, Sendable {
  struct Order: Codable, Sendable {
    var id: Int64
    var order: String
    var state: String
    var obstacle: String?
  }

  var version = 1
  /// The address as `log.emails` has it shown.
  var email: String
  var erased: Bool
  var forgottenBefore: Bool
  var orders: [Order]
  var referrals: Int
  /// The number of times that the address still stands in the ledger's file, in what was not this person's.
  var remaining: Int?
  /// Damaged ledgers that were moved aside, and may hold it.
  var asideLedgers: [String]?

  init(_ traces: PersonTraces, email: String) {
    self.email = email
    (erased, forgottenBefore) = (traces.isErased, traces.wasForgotten)
    (referrals, remaining) = (traces.referrals, traces.remaining)
    orders = traces.orders.map {
      Order(id: $0.entry.number, order: $0.orderID, state: $0.outcome.rawValue, obstacle: $0.obstacle)
    }
  }
}
