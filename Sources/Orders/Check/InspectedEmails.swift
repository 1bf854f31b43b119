import Conversions

extension ShopInspection {
  /// The share of the newest orders from which values that are no addresses are a warning.
  private static let faultShare = 0.05

  /// Counts values of the e-mail column that are no addresses: such an order waits for a referral in vain, unnoticed.
  func emails(_ newest: NewestOrders) -> [ShopFinding] {
    guard let email = mapping.columns.email, !newest.seen.isEmpty else { return [] }
    let subject = "orders.columns.email"
    let texts = newest.seen.compactMap(\.emailText)
    guard !texts.isEmpty else {
      return [
        ShopFinding(
          .warn, subject, "NULL in all of the newest \(newest.seen.count) orders: none can be matched by e-mail",
          advice: "map the column that holds the buyer's address")
      ]
    }
    let faults = texts.compactMap { text in EmailFault(of: text).map { (kind: $0, text: text) } }
    guard let first = faults.first else {
      return [ShopFinding(.ok, subject, "an address in each of the newest \(texts.count) orders that have a value")]
    }
    let kinds = EmailFault.allCases.compactMap { kind -> (kind: EmailFault, count: Int)? in
      let count = faults.count { $0.kind == kind }
      return count > 0 ? (kind, count) : nil
    }
    let list = kinds.map { "\($0.count) \($0.kind.words)" }.joined(separator: ", ")
    let isMuch = Double(faults.count) >= Self.faultShare * Double(texts.count)
    let most = kinds.max { $0.count < $1.count }?.kind ?? first.kind
    let example = faults.first { $0.kind == most } ?? first
    return [
      ShopFinding(
        isMuch ? .warn : .ok, subject,
        "\(faults.count) of the newest \(texts.count) values are no addresses, and match nothing: \(list); such as "
          + "\(example.kind == .blank ? "a blank" : EmailFault.masked(example.text))",
        advice: isMuch ? most.advice(email) : nil)
    ]
  }
}

extension EmailFault {
  /// The kind in a few words.
  var words: String {
    switch self {
    case .blank: "blank"
    case .named: "with a name around the address"
    case .several: "of several addresses"
    case .wrapped: "with marks around the address"
    case .opaque: "without an @ (encrypted, hashed or encoded?)"
    case .malformed: "malformed"
    }
  }

  /// The SQL, or the way around it, that mends a column.
  func advice(_ email: String) -> String {
    switch self {
    case .blank: "write email: nullif(btrim(\(email)), ''), and map external_source_id if buyers leave no address"
    case .named: "write email: coalesce(substring(\(email) from '<([^<>]+)>'), \(email))"
    case .several: "write email: split_part(replace(\(email), ';', ','), ',', 1), if the first is the buyer's"
    case .wrapped: #"write email: btrim(replace(lower(\#(email)), 'mailto:', ''), ' "''(),;<>')"#
    case .opaque: "map a column that holds the address in the clear, or match by external_source_id"
    case .malformed: "map a column that holds one address and nothing else"
    }
  }
}
