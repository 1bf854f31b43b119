extension Order {
  /// The parts of an order in the shop's table: the keys under `orders.columns`, each an SQL expression over
  /// `orders.from`, written by the operator, who may read the table anyway.
  ///
  /// The ledger remembers them by their description: another name of the type or of a property, or another order of
  /// these, would count as another mapping.
  public struct Columns: Hashable, Sendable {
    /// The order's ID, which becomes `externalTransactionId` as text.
    public var id: String
    /// The buyer's e-mail address.
    public var email: String?
    /// The partner's own identifier for the referral.
    public var externalSourceID: String?
    /// The buyer, as this shop names referrers in `referrerIdentifier`.
    public var customerID: String?
    /// The order value, in `orders.total_unit`.
    public var total: String?
    /// The currency of the total: a column, or a literal such as `'EUR'`.
    public var currency: String?
    /// The order's status.
    public var status: String?
    /// The time when the order was placed.
    public var placedAt: String
    /// The raw indexed change columns that the look at recent changes watches; they serve latency only.
    public var updatedAt: [String]

    /// Makes a mapping of these expressions; all but two may be left out.
    public init(
      id: String, email: String? = nil, externalSourceID: String? = nil, customerID: String? = nil,
      total: String? = nil, currency: String? = nil, status: String? = nil, placedAt: String, updatedAt: [String] = []
    ) {
      self.id = id
      self.email = email
      self.externalSourceID = externalSourceID
      self.customerID = customerID
      self.total = total
      self.currency = currency
      self.status = status
      self.placedAt = placedAt
      self.updatedAt = updatedAt
    }
  }

  /// One member of `reporting.metadata`.
  public struct MetadataEntry: Hashable, Sendable {
    /// The member's name in the JSON object.
    public var name: String
    /// The SQL expression, over `orders.from`, of its value.
    public var expression: String

    /// Makes a member of its parts.
    public init(name: String, expression: String) {
      self.name = name
      self.expression = expression
    }
  }
}
