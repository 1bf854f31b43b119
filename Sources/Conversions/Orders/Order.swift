/// One order as the shop's table showed it at one moment, its values brought to normal form but not yet judged.
public struct Order: Hashable, Sendable {
  /// The key by which it is walked and read again.
  public var key: OrderKey
  /// The ID of the order as the API is told it.
  public var transactionID: TransactionID
  /// The buyer's address; nil for none or for what is no address.
  public var email: EmailAddress?
  /// The fault that kept the address's text from being one; known only of a row that was just read, and no part of a
  /// version.
  public var emailFault: EmailFault?
  /// The partner's own reference to the referral.
  public var externalSourceID: ExternalSourceID?
  /// The buyer as this shop names referrers in `referrerIdentifier`.
  public var customerID: String?
  /// The order value, not yet judged.
  public var total: OrderTotal
  /// The status as the column gave it; nil where none is mapped or it is NULL.
  public var status: String?
  /// True if it is worth a reward now.
  public var qualifies: Bool
  /// The time at which the friend bought.
  public var placedAt: PlacedAt
  /// The mapped metadata as one JSON object; nil where nothing is mapped or all is NULL.
  public var metadata: String?

  /// Makes an order from its values.
  public init(
    key: OrderKey, transactionID: TransactionID, email: EmailAddress? = nil, externalSourceID: ExternalSourceID? = nil,
    customerID: String? = nil, total: OrderTotal = .unmapped, status: String? = nil, qualifies: Bool,
    placedAt: PlacedAt, metadata: String? = nil
  ) {
    self.key = key
    self.transactionID = transactionID
    self.email = email
    self.externalSourceID = externalSourceID
    self.customerID = customerID
    self.total = total
    self.status = status
    self.qualifies = qualifies
    self.placedAt = placedAt
    self.metadata = metadata
  }

  /// The words for an order that does not qualify any more, with the status that it has.
  public var disqualification: String {
    "does not qualify any more" + (status.map { ": its status is \($0.prefix(40))" } ?? "")
  }

  /// The digest that tells this version of the order from another. The key is left out, as the versions share it.
  public var digest: ContentDigest {
    var digest = ContentDigest()
    digest.combine(transactionID.text)
    digest.combine(email?.text)
    digest.combine(externalSourceID?.text)
    digest.combine(customerID)
    digest.combine(total.amountText)
    digest.combine(total.currencyText)
    digest.combine(status)
    digest.combine(qualifies ? "1" : "0")
    digest.combine(String(placedAt.earliest.microseconds))
    digest.combine(String(placedAt.latest.microseconds))
    digest.combine(metadata)
    return digest
  }
}

/// An order's value as the shop's table gave it.
public enum OrderTotal: Hashable, Sendable {
  /// `orders.columns.total` is not mapped: conversions are reported without a value.
  case unmapped
  /// Mapped, and NULL in this row.
  case null
  /// PostgreSQL's text of the amount, and the currency where there is one. A question mark at its end marks an amount
  /// that `written(_:currency:)` found to mean two numbers.
  case amount(String, currency: String?)

  /// Makes a total from a column of text, where `1.234` may be a decimal or one thousand two hundred and thirty-four: a
  /// person must say which of the two it is, and it is never guessed.
  public static func written(_ text: String, currency: String?) -> OrderTotal {
    .amount(mayBeThousands(text) ? text + "?" : text, currency: currency)
  }

  /// True if three digits stand behind the only point, and one to three before it of which the first is no zero.
  private static func mayBeThousands(_ text: String) -> Bool {
    let parts = text.drop { $0 == "-" || $0 == "+" || $0.isWhitespace }
      .split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count == 2, (1...3).contains(parts[0].utf8.count), parts[1].utf8.count == 3 else { return false }
    return parts[0].first != "0" && parts.allSatisfy { $0.utf8.allSatisfy { (0x30...0x39).contains($0) } }
  }

  /// The amount's text, nil for both kinds of none.
  public var amountText: String? {
    if case .amount(let text, _) = self { text } else { nil }
  }

  /// The currency's text.
  public var currencyText: String? {
    if case .amount(_, let currency) = self { currency } else { nil }
  }
}

/// A row of the shop's table: an order, or what is known of one that can't be read. Indirect, as a row is handed on far
/// more often than it is looked into.
public indirect enum OrderRow: Hashable, Sendable {
  /// An order whose every value could be read.
  case readable(Order)
  /// A row with a value that no order can have. It goes to review; the others go on.
  case unreadable(UnreadableOrder)

  /// The row's key.
  public var key: OrderKey {
    switch self {
    case .readable(let order): order.key
    case .unreadable(let order): order.key
    }
  }

  /// The ID that a report would have, where that much could be read.
  public var transactionID: String? {
    switch self {
    case .readable(let order): order.transactionID.text
    case .unreadable(let order): order.transactionID
    }
  }

  /// The order's ID as people know it: its transaction ID, or its key where that can't be read.
  public var orderID: String { transactionID ?? key.text }

  /// Returns true if it may be the order that has a known ID: it has the same, or one of the two can't be read.
  public func mayBe(_ known: String?) -> Bool {
    guard let known, let transactionID else { return true }
    return known.utf8.elementsEqual(transactionID.utf8)
  }
}

/// The facts known of a row that is no readable order.
public struct UnreadableOrder: Hashable, Sendable {
  /// The key by which the row is found again.
  public var key: OrderKey
  /// The order ID where that much could be read.
  public var transactionID: String?
  /// The reason why it needs a person.
  public var reason: ReviewReason
  /// The value's fault in a sentence, without the value where it may be personal.
  public var detail: String

  /// Takes what is known of a row.
  public init(key: OrderKey, transactionID: String? = nil, reason: ReviewReason, detail: String) {
    self.key = key
    self.transactionID = transactionID
    self.reason = reason
    self.detail = detail
  }

  /// The digest that tells this version of the row from another.
  public var digest: ContentDigest {
    var digest = ContentDigest()
    digest.combine("unreadable")
    digest.combine(transactionID)
    digest.combine(reason.rawValue)
    digest.combine(detail)
    return digest
  }
}
