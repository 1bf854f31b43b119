extension Configuration.Orders {
  /// The keys under `orders.columns:`, each an SQL expression over `orders.from`.
  public struct Columns: Sendable, Equatable {
    /// The order's ID, which becomes `externalTransactionId` as text.
    public var id: String
    /// The buyer's e-mail address.
    public var email: String?
    /// The partner's own identifier for the referral.
    public var externalSourceID: String?
    /// The buyer, as this shop names referrers in `referrerIdentifier`.
    public var customerID: String?
    /// The order value, in ``Configuration/Orders/totalUnit``.
    public var total: String?
    /// The currency of ``total``: a column, or a literal such as `'EUR'`.
    public var currency: String?
    /// The order's status.
    public var status: String?
    /// The time when the order was placed.
    public var placedAt: String
    /// The raw indexed change columns that the look at recent changes watches; they serve latency only.
    public var updatedAt: [String] = []

    /// Makes a mapping of the two required columns.
    public init(id: String, placedAt: String) {
      self.id = id
      self.placedAt = placedAt
    }
  }
}
